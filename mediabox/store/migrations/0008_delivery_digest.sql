-- To find what had left a phone when its bytes are seen there again.
CREATE INDEX delivery_digest ON delivery (destination, digest) WHERE digest IS NOT NULL;
