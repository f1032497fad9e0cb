#pragma once

#include "fovea/session.hpp"

/// What a session does with its request's task.
namespace fovea::request {

/// Fills the task in, and the tensors of inputs that nobody gave but that the task knows. Throws
/// Error invalid_argument for what the task leaves open, and for an input that has to be given,
/// with its name, role and extents.
void start_task(Session& session);

/// Runs the network for `session.found`; a caption is written word by word.
void find(Session& session, const CallOptions& call);
/// The same by an explainer that reads the task's values.
void find(Session& session, const Explainer& explainer, const CallOptions& call);

/// The outputs that become inputs of the next run.
void keep_states(Session& session, const Run& run);

/// What the next run's states begin with, where a run has gone before.
void record_states(const Session& session, Request& out);

/// The value that a target reads which is no text: the scores (""), or the embedding of a task that
/// has one.
std::string value_read(const Session& session, const RequestTarget& target);

/// What a session's explainers have to read and fetch for its task.
void read_task_values(const Session& session, ExplainerOptions& options);

}  // namespace fovea::request
