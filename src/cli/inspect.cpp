// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/command.hpp"

#include <CLI/CLI.hpp>

namespace syncline::cli {

void add_inspect(CLI::App& app, Action& action) {
  CLI::App* inspect = app.add_subcommand("inspect", "Show how a file is understood, as JSON lines");
  inspect->require_subcommand(1);
  add_inspect_recurrence(*inspect, action);
  add_inspect_timezone(*inspect, action);
  add_inspect_ews(*inspect, action);
  add_inspect_mime(*inspect, action);
}

}  // namespace syncline::cli
