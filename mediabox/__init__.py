"""mediabox: pictures in, a proven archive out."""
