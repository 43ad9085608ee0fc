"""What patients do by themselves: book on the public page, answer by the link in a mail, subscribe to a calendar."""
