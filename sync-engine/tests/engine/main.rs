//! The engine over fakes of its ports, and what holds of its planner whatever the world looks like.

mod after_a_push;
mod approval;
mod breaker;
mod cannot_remember;
mod contracts;
mod decision_table;
mod dry_run;
mod exact_calls;
mod explain;
mod guard_properties;
mod halt;
mod kept_plan;
mod lease;
mod lockout_budget;
mod long_walk;
mod oracle;
mod own_sign_in;
mod pauses;
mod planner_properties;
mod quiet;
mod reset_rights;
mod rules;
mod scenes;
mod together;
mod watched;
mod world;
