#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/model.hpp"

/// Models made of models, before anything is planned: every method, layer and target works on the
/// result as on any other. Weights are shared with the models that went in, and so is what tuning
/// found. Safe from any thread; cost: a copy of the lists of nodes.
namespace fovea {

/// Two networks as one, such as an encoder and a decoder. `inputs` says what inputs of `second` are
/// fed with, each by name an output of `first`; without any the two stand side by side. What is
/// left of inputs stays, those of `first` in front; outputs are those of `second`, then those of
/// `first` that feed nothing (the others can still be read and explained, by name). Names of
/// `second` that `first` has too begin with `prefix`; so do names of open extents, but for those of
/// first extents. Metadata is of both, where keys are the same that of `first`; so are files.
/// Throws Error invalid_argument for names that do not exist, and for types, numbers of extents and
/// extents that contradict each other. What shows only when extents are bound is refused by the
/// explainer.
FOVEA_API Model joined(const Model& first, const Model& second,
                       const std::map<std::string, std::string>& inputs,
                       const std::string& prefix = "second/");

/// A network of one step, such as a decoder or a policy with a memory, `steps` times in a row.
/// `states` says what inputs are fed with in later steps, each by name an output of the step
/// before; in the first step they are inputs as they were. Of every other input there is one per
/// step, "name@t" in step t from 0, but for those in `shared`, which are the same in all of them.
/// Values that depend on none of those that differ are computed once; the others are called
/// "name@t". Outputs are those of all steps, in the order of steps; of those that are states, the
/// last step's, behind the others. Throws Error invalid_argument for names that do not exist, types
/// and extents that contradict each other, no step, more than 256, or more than 100,000 nodes.
FOVEA_API Model unrolled(const Model& step, const std::map<std::string, std::string>& states,
                         std::int64_t steps, const std::vector<std::string>& shared = {});

}  // namespace fovea
