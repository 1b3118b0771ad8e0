"""What comes and goes as bytes: codecs and signal processing, without a clock, a socket or a framework."""
