"""Many visits moved at once, because somebody is ill, a clinic closes or hours change."""
