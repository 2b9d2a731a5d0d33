// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A command of the program: one file each, named after it (inspect_ews.cpp). The list is in main.cpp.
#include <functional>
#include <string>

#include "base/exit_status.hpp"

namespace CLI {
class App;
}

namespace syncline::cli {

/// What every command is given besides its own options.
struct Globals {
  std::string organisation;  ///< --org DIR; empty: none given
};

/// Set by the chosen command's parser callback, called once by main after parsing.
using Action = std::function<ExitStatus(const Globals&)>;

/// Each adds its subcommand to `app` and, when the user chose it, puts what is to be done in `action`.
void add_inspect(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_rules(CLI::App& app, Action& action);
void add_route(CLI::App& app, Action& action);
void add_discover(CLI::App& app, Action& action);
void add_inspect_recurrence(CLI::App& inspect, Action& action);
void add_inspect_timezone(CLI::App& inspect, Action& action);
/// Below `inspect`.
void add_inspect_ews(CLI::App& inspect, Action& action);

}  // namespace syncline::cli
