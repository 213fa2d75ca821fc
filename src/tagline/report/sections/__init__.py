"""The parts of a report as plain values for the template."""
