-- What comes while a task waits for a later look makes it due as soon as anything else would. A mark of our own
-- (is_end = 2) is nothing that somebody would have to look at.
DROP TRIGGER events_end;
CREATE TRIGGER events_end AFTER INSERT ON events WHEN NEW.is_end = 1 BEGIN
    INSERT INTO tasks (task_id, due_at, updated_at) VALUES (NEW.task_id, NEW.due_at, NEW.arrived_at)
    ON CONFLICT (task_id) DO UPDATE SET news = news + 1, due_at = min(coalesce(due_at, excluded.due_at), excluded.due_at),
        updated_at = max(updated_at, excluded.updated_at);
END;
DROP TRIGGER events_after_end;
CREATE TRIGGER events_after_end AFTER INSERT ON events WHEN NEW.is_end = 0 BEGIN
    UPDATE tasks SET news = news + 1, due_at = min(coalesce(due_at, NEW.due_at), NEW.due_at) WHERE task_id = NEW.task_id;
END;
