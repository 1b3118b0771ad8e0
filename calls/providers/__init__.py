"""What hears, thinks and speaks: the vendors, the local parts, and a scripted set."""
