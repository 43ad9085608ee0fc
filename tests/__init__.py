from tests import clock

clock.hold()
