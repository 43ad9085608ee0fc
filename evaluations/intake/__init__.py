"""What the patient tells before the examination, at the desk or on the phone, and what it meets of the criteria."""
