-- What `status` shows, counted as it is written: at 100,000 photos counting took 50 ms, and half a second with a phone.
-- Of files by state ('file:archived'), of assets with anything archived, of companions, of deliveries by state and
-- destination ('delivery:stored:NAME'), of files of older backups.
CREATE TABLE figure (
    name       TEXT PRIMARY KEY,
    count      INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO figure SELECT 'file:' || state, count(*), coalesce(sum(size_bytes), 0) FROM resource GROUP BY state;
INSERT INTO figure SELECT 'companion', count(*), 0 FROM resource
    WHERE state = 'archived' AND (kind = 'sidecar' OR role = 'companion');
INSERT INTO figure SELECT 'asset', count(DISTINCT asset_id), 0 FROM resource WHERE state = 'archived';
INSERT INTO figure SELECT 'delivery:' || state || ':' || destination, count(*), sum(size_bytes) FROM delivery
    GROUP BY state, destination;
INSERT INTO figure SELECT 'offered', count(*), coalesce(sum(size_bytes), 0) FROM adoptable;
INSERT INTO figure SELECT 'adopted', count(*), coalesce(sum(size_bytes), 0) FROM adoptable WHERE resource_id IS NOT NULL;

CREATE TRIGGER resource_added AFTER INSERT ON resource BEGIN
    INSERT INTO figure
    SELECT 'file:' || NEW.state, 1, coalesce(NEW.size_bytes, 0)
    UNION ALL SELECT 'companion', 1, 0 WHERE NEW.state = 'archived' AND (NEW.kind = 'sidecar' OR NEW.role = 'companion')
    UNION ALL SELECT 'asset', 1, 0 WHERE NEW.state = 'archived' AND NOT EXISTS (
        SELECT 1 FROM resource WHERE asset_id = NEW.asset_id AND state = 'archived' AND id <> NEW.id)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
CREATE TRIGGER resource_changed AFTER UPDATE OF state, size_bytes, kind, role, asset_id ON resource
    WHEN (OLD.state, OLD.size_bytes, OLD.kind, OLD.role, OLD.asset_id) IS NOT (NEW.state, NEW.size_bytes, NEW.kind, NEW.role, NEW.asset_id) BEGIN
    INSERT INTO figure
    SELECT 'file:' || OLD.state, -1, -coalesce(OLD.size_bytes, 0)
    UNION ALL SELECT 'companion', -1, 0 WHERE OLD.state = 'archived' AND (OLD.kind = 'sidecar' OR OLD.role = 'companion')
    UNION ALL SELECT 'asset', -1, 0 WHERE OLD.state = 'archived' AND NOT EXISTS (
        SELECT 1 FROM resource WHERE asset_id = OLD.asset_id AND state = 'archived' AND id <> OLD.id)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
    INSERT INTO figure
    SELECT 'file:' || NEW.state, 1, coalesce(NEW.size_bytes, 0)
    UNION ALL SELECT 'companion', 1, 0 WHERE NEW.state = 'archived' AND (NEW.kind = 'sidecar' OR NEW.role = 'companion')
    UNION ALL SELECT 'asset', 1, 0 WHERE NEW.state = 'archived' AND NOT EXISTS (
        SELECT 1 FROM resource WHERE asset_id = NEW.asset_id AND state = 'archived' AND id <> NEW.id)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
CREATE TRIGGER resource_removed AFTER DELETE ON resource BEGIN
    INSERT INTO figure
    SELECT 'file:' || OLD.state, -1, -coalesce(OLD.size_bytes, 0)
    UNION ALL SELECT 'companion', -1, 0 WHERE OLD.state = 'archived' AND (OLD.kind = 'sidecar' OR OLD.role = 'companion')
    UNION ALL SELECT 'asset', -1, 0 WHERE OLD.state = 'archived' AND NOT EXISTS (
        SELECT 1 FROM resource WHERE asset_id = OLD.asset_id AND state = 'archived' AND id <> OLD.id)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;

CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
    INSERT INTO figure VALUES ('delivery:' || NEW.state || ':' || NEW.destination, 1, NEW.size_bytes)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
CREATE TRIGGER delivery_changed AFTER UPDATE OF state, size_bytes, destination ON delivery
    WHEN (OLD.state, OLD.size_bytes, OLD.destination) IS NOT (NEW.state, NEW.size_bytes, NEW.destination) BEGIN
    INSERT INTO figure VALUES ('delivery:' || OLD.state || ':' || OLD.destination, -1, -OLD.size_bytes)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
    INSERT INTO figure VALUES ('delivery:' || NEW.state || ':' || NEW.destination, 1, NEW.size_bytes)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
CREATE TRIGGER delivery_removed AFTER DELETE ON delivery BEGIN
    INSERT INTO figure VALUES ('delivery:' || OLD.state || ':' || OLD.destination, -1, -OLD.size_bytes)
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;

CREATE TRIGGER adoptable_added AFTER INSERT ON adoptable BEGIN
    INSERT INTO figure SELECT 'offered', 1, NEW.size_bytes
    UNION ALL SELECT 'adopted', 1, NEW.size_bytes WHERE NEW.resource_id IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
CREATE TRIGGER adoptable_changed AFTER UPDATE OF size_bytes, resource_id ON adoptable
    WHEN (OLD.size_bytes, OLD.resource_id) IS NOT (NEW.size_bytes, NEW.resource_id) BEGIN
    INSERT INTO figure SELECT 'offered', -1, -OLD.size_bytes
    UNION ALL SELECT 'adopted', -1, -OLD.size_bytes WHERE OLD.resource_id IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
    INSERT INTO figure SELECT 'offered', 1, NEW.size_bytes
    UNION ALL SELECT 'adopted', 1, NEW.size_bytes WHERE NEW.resource_id IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
CREATE TRIGGER adoptable_removed AFTER DELETE ON adoptable BEGIN
    INSERT INTO figure SELECT 'offered', -1, -OLD.size_bytes
    UNION ALL SELECT 'adopted', -1, -OLD.size_bytes WHERE OLD.resource_id IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes;
END;
