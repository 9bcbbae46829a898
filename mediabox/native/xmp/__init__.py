"""XMP, for all who read it, change it, or write their own (ISO 16684-1; XMP Specification Part 1 and 2)."""
