import pytest
from django.core.exceptions import ValidationError

from clinic.text import clean_line, clean_note, folded


@pytest.mark.parametrize(
    "text", ["", "Avery", "Zoë O’Neil-Smith", "张伟", "محمد", "Nguyễn Thị", "J. R.", "ʻOkina", "👩‍⚕️ visits", "N/A 5"]
)
def test_a_line_of_any_script_is_clean(text):
    clean_line(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("a\x00b", "control_character", id="null byte"),
        pytest.param("a\nb", "control_character", id="line break"),
        pytest.param("a\r\nBcc: x@example.org", "control_character", id="mail header"),
        pytest.param("a\tb", "control_character", id="tab"),
        pytest.param("a\x1b[31m", "control_character", id="escape sequence"),
        pytest.param("a\x85b", "control_character", id="next line"),
        pytest.param("a\u2028b", "control_character", id="line separator"),
        pytest.param("a\u2029b", "control_character", id="paragraph separator"),
        pytest.param("a\u202eb", "control_character", id="right-to-left override"),
        pytest.param("a\u2066b", "control_character", id="isolate"),
        pytest.param("a\ud800b", "control_character", id="lone surrogate"),
        pytest.param("   ", "nothing_visible", id="spaces"),
        pytest.param("\u200b", "nothing_visible", id="zero width"),
        pytest.param("\u00a0\u3000", "nothing_visible", id="wide spaces"),
    ],
)
def test_a_line_that_is_not_clean(text, code):
    with pytest.raises(ValidationError) as refused:
        clean_line(text)

    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "one\ntwo", "one\r\ntwo\tthree"])
def test_a_note_may_have_lines(text):
    clean_note(text)


@pytest.mark.parametrize("text", ["a\x00b", "a\n\x07", "\n\n", "a\u202eb"])
def test_a_note_that_is_not_clean(text):
    with pytest.raises(ValidationError):
        clean_note(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë", "zoe"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Nguyễn", "nguyen"),
        ("Ａｖｅｒｙ", "avery"),
        ("张伟", "张伟"),
        ("İstanbul", "istanbul"),
    ],
)
def test_folded(text, expected):
    assert folded(text) == expected
