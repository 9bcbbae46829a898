"""What people and programs can have the box do: one value for each command, one door (`dispatch`)."""
