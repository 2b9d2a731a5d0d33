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
  std::string key;           ///< --key FILE|fd:N; empty: where the vault looks
  bool key_beside_data = false;
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
void add_inspect_mime(CLI::App& inspect, Action& action);

// An organisation's.
void add_init(CLI::App& app, Action& action);
void add_apply(CLI::App& app, Action& action);
void add_export_config(CLI::App& app, Action& action);
void add_config(CLI::App& app, Action& action);
void add_secret(CLI::App& app, Action& action);
void add_auth(CLI::App& app, Action& action);
void add_key(CLI::App& app, Action& action);
void add_mailbox(CLI::App& app, Action& action);
void add_role(CLI::App& app, Action& action);
void add_readiness(CLI::App& app, Action& action);
void add_record(CLI::App& app, Action& action);
void add_journal(CLI::App& app, Action& action);
void add_alerts(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_quarantine(CLI::App& app, Action& action);
void add_brake(CLI::App& app, Action& action);
void add_audit(CLI::App& app, Action& action);
void add_sync(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_backup(CLI::App& app, Action& action);
void add_content(CLI::App& app, Action& action);
void add_token(CLI::App& app, Action& action);

}  // namespace syncline::cli
