from collections import Counter

from clinic import navigation


def test_no_two_entries_have_the_same_key():
    """`g` and the key leads to an entry of the rail: to one."""
    keys = Counter(entry.key for entry in navigation._entries if entry.key)

    assert [key for key, count in keys.items() if count > 1] == []
