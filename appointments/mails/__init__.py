"""Mails about visits: reminders, notices, follow-ups, and the calendar entries that go with them."""
