// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The administrator's file, as `apply` and `sync --dry-run --apply` read it.
#include <optional>
#include <string>

#include "service/organisation/configuration.hpp"

namespace syncline::cli {

/// `file`: "-" for standard input. nullopt: what is wrong was said.
std::optional<service::Configuration> read_configuration_file(const std::string& file);

}  // namespace syncline::cli
