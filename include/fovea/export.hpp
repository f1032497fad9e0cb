#pragma once

/// Marks what the shared libraries export; everything else is hidden.
#define FOVEA_API __attribute__((visibility("default")))
/// Marks members of what is exported that the library keeps to itself.
#define FOVEA_LOCAL __attribute__((visibility("hidden")))
