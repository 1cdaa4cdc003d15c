-- A client may have several: one that waits for a person, and those that were ruled on and are not done yet.
CREATE TABLE held_plans (
    client_id TEXT NOT NULL,
    plan_id   TEXT NOT NULL,
    plan      TEXT NOT NULL,
    PRIMARY KEY (client_id, plan_id)
) STRICT, WITHOUT ROWID;

INSERT INTO held_plans (client_id, plan_id, plan)
    SELECT client_id, json_extract(plan, '$.id'), plan FROM held_plan;

DROP TABLE held_plan;
