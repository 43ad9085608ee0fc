"""A whole evaluation typed by keyboard, normal but for ten findings: the browser test counts it, the pictures show it.

`hands.press(*keys)` presses keys; `hands.type(*texts)` types each text and Enter after it; `picture(name)` looks at it.
"""


def fill_in(hands, picture=lambda name: None) -> None:
    hands.press("Shift+N", "Enter")  # every red flag was asked and answered no
    hands.press("Shift+N")
    hands.type("138", "118", "78", "76", "72", "14", "36.8", "98", "172", "70")  # one: elevated on the left
    picture("evaluation-typed-1-vitals")
    hands.press("Shift+N")
    hands.type("p", "35", "35")
    hands.press("Shift+N")
    hands.type("46", "9", "0", "35", "40", "5", "5", "9", "9")  # two: the head is forward
    hands.press("Shift+N")
    hands.type("3r", *"0000000")  # three: the head is tilted to the right
    hands.type("0", "0", "0")
    hands.press("Shift+N")
    hands.type("8l", "0")  # four: leg length
    hands.press("Alt+Shift+X", "Shift+N", "Alt+Shift+X")  # no listing, no imaging
    hands.press("Shift+N", "Alt+ArrowDown", "2", "Alt+ArrowRight", "1")  # five and six: C1 is tender
    picture("evaluation-typed-2-palpation")
    hands.press("Enter", "Shift+N", "Enter", "Shift+N")
    hands.type("d", "41", "31", "0")  # seven: the flexion-rotation test to the right
    hands.type("50", "60", "45", "45", "80", "62")  # eight: rotation to the right
    hands.type("50", "60", "45", "45", "80", "80")
    for _ in ("cranial nerves", "sensation", "strength", "reflexes"):
        hands.press("Shift+N", "Enter")
    hands.press("p", "Shift+N")  # nine: a positive Hoffmann sign
    hands.type("0", "0", "22", "14")  # ten: the grip on the right
    hands.press("Shift+N")
    hands.type("30", "30", "0")
    hands.press("Shift+N", "Enter", "Alt+Shift+X", *"Stiff")  # the scores were not asked; the conclusion
    picture("evaluation-typed-3-done")
