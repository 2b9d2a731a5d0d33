// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline role list|grant|revoke`: who may approve mailboxes, and as what.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/person_roles.hpp"

namespace syncline::cli {
namespace {

struct Options {
  std::string person;
  std::string role;
  std::string format;
  service::Actor actor;
};

ExitStatus run_list(const Globals& globals, const Options& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  auto roles = (*organisation)->store().read<service::PersonRoles>([](store::Transaction& transaction) {
    return service::load_roles(transaction);
  });
  if (!roles) return report(roles.error());
  Output output;
  for (const auto& [person, held] : *roles) {
    if (options.format == "json") {
      boost::json::array list;
      for (const std::string& role : held) list.emplace_back(role);
      append_line(output, {{"person", person}, {"roles", std::move(list)}});
      continue;
    }
    std::string list;
    for (const std::string& role : held) list += (list.empty() ? "" : ", ") + role;
    append_wrapped(output.text(), padded(shown(person), 34) + " ", list);
  }
  if (options.format == "text" && roles->empty())
    output.text() += "Nobody holds a role: whoever may write to the organisation's folder may approve.\n";
  return finish(output, ExitStatus::done);
}

ExitStatus run_change(const Globals& globals, const Options& options, bool grant) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  service::Actor actor = options.actor;
  if (actor.who.empty()) actor.who = current_user();
  auto changed = grant ? service::grant_role(**organisation, options.person, options.role, actor)
                       : service::revoke_role(**organisation, options.person, options.role, actor);
  if (!changed) return report(changed.error());
  Output output;
  output.text() += fmt::format("{}: {}{}{}\n", shown(options.person), options.role,
                               grant ? " granted" : " revoked", *changed ? "" : " already");
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_role(CLI::App& app, Action& action) {
  CLI::App* role = app.add_subcommand("role", "Who may approve mailboxes, and as what");
  role->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* list = role->add_subcommand("list", "Who holds which role");
  add_format_option(*list, options->format);
  list->callback(
      [options, &action] { action = [options](const Globals& g) { return run_list(g, *options); }; });
  for (const bool grant : {true, false}) {
    CLI::App* command = role->add_subcommand(grant ? "grant" : "revoke",
                                             grant ? "Give a person a role; from the first one on only who "
                                                     "holds a role may approve"
                                                   : "Take a role from a person");
    command->add_option("PERSON", options->person, "As --as names them")->required();
    command
        ->add_option("ROLE", options->role, "global_admin, exchange_admin, delegated_approver, system_admin")
        ->required()
        ->check(CLI::IsMember({"global_admin", "exchange_admin", "delegated_approver", "system_admin"}));
    add_actor_options(*command, options->actor.who, options->actor.reason);
    command->callback([options, grant, &action] {
      action = [options, grant](const Globals& g) { return run_change(g, *options, grant); };
    });
  }
}

}  // namespace syncline::cli
