"""What goes to destinations: chosen from the journal, admitted as there is room, proved by what they show.

Read `deliveries` first (the service), then `choice` (which files), `window` (how many at
a time), `parcels` (what a delivery is made of) and `record` (what became of it).
"""
