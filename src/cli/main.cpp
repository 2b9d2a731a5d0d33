// SPDX-License-Identifier: GPL-3.0-or-later
// The `syncline` program: parses the command line and hands over to one command.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command.hpp"

int main(int argc, char** argv) {
  using syncline::ExitStatus;
  CLI::App app{"Keeps an organisation's records and its people's mailboxes in step.", "syncline"};
  app.set_version_flag("--version", "syncline 0.1.0");
  app.require_subcommand(1);

  syncline::cli::Globals globals;
  syncline::cli::Action action;
  // Options of the program may stand behind the command, too.
  app.fallthrough();
  app.add_option("--org", globals.organisation, "Folder of the organisation (default: the current one)")
      ->type_name("DIR");
  app.add_option("--key", globals.key,
                 "The vault's key (default: systemd's credential syncline.key, else NAME.key in "
                 "~/.config/syncline, of root in /etc/syncline)")
      ->type_name("FILE|fd:N");
  app.add_flag("--key-beside-data", globals.key_beside_data, "Keep the key in the organisation's folder");
  syncline::cli::add_inspect(app, action);
  syncline::cli::add_check(app, action);
  syncline::cli::add_rules(app, action);
  syncline::cli::add_route(app, action);
  syncline::cli::add_discover(app, action);
  syncline::cli::add_init(app, action);
  syncline::cli::add_apply(app, action);
  syncline::cli::add_export_config(app, action);
  syncline::cli::add_config(app, action);
  syncline::cli::add_secret(app, action);
  syncline::cli::add_auth(app, action);
  syncline::cli::add_key(app, action);
  syncline::cli::add_mailbox(app, action);
  syncline::cli::add_role(app, action);
  syncline::cli::add_readiness(app, action);
  syncline::cli::add_sync(app, action);
  syncline::cli::add_serve(app, action);
  syncline::cli::add_record(app, action);
  syncline::cli::add_content(app, action);
  syncline::cli::add_journal(app, action);
  syncline::cli::add_alerts(app, action);
  syncline::cli::add_status(app, action);
  syncline::cli::add_quarantine(app, action);
  syncline::cli::add_brake(app, action);
  syncline::cli::add_audit(app, action);
  syncline::cli::add_backup(app, action);
  syncline::cli::add_token(app, action);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return static_cast<int>(ExitStatus::bad_input);
  }
  return static_cast<int>(action(globals));
}
