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
  app.add_option("--org", globals.organisation, "Folder of the organisation")->type_name("DIR");
  syncline::cli::add_inspect(app, action);
  syncline::cli::add_check(app, action);
  syncline::cli::add_rules(app, action);
  syncline::cli::add_route(app, action);
  syncline::cli::add_discover(app, action);

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
