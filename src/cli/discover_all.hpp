// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "cli/command.hpp"
#include "service/organisation/apply.hpp"

namespace syncline::cli {

struct DiscoverAllOptions {
  bool follow_moves = false;
  std::string format;
  service::Actor actor;
};
/// `discover --all`: where each mailbox of the organisation lives, and whether its profile leads there.
ExitStatus discover_all(const Globals& globals, const DiscoverAllOptions& options);

}  // namespace syncline::cli
