// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline brake release`: lets deletes pass that the brake on mass deletes has stopped.
#include "service/organisation/brake.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/organisation_command.hpp"

namespace syncline::cli {
namespace {

struct BrakeOptions {
  std::vector<std::string> mailboxes;
  service::Actor actor;
};

ExitStatus run_release(const Globals& globals, const BrakeOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  const service::Actor actor{options.actor.who.empty() ? current_user() : options.actor.who,
                             options.actor.reason};
  using Released = std::vector<std::pair<std::string, bool>>;
  auto released =
      (*organisation)->store().write<Released>([&](store::Transaction& transaction) -> Result<Released> {
        std::vector<std::string> addresses;
        for (const std::string& mailbox : options.mailboxes)
          addresses.push_back(text::to_lower_ascii(mailbox));
        if (addresses.empty()) {
          auto pulled = service::pulled_brakes(transaction);
          if (!pulled) return fail(std::move(pulled.error()));
          addresses = std::move(*pulled);
        }
        Released result;
        for (const std::string& address : addresses) {
          auto row = store::find_mailbox(transaction, address);
          if (!row) return fail(std::move(row.error()));
          if (!*row)
            return fail(ErrorDomain::input, "no-mailbox", fmt::format("There is no mailbox {}", address));
          auto done = service::release_brake(transaction, (*row)->id, address, actor);
          if (!done) return fail(std::move(done.error()));
          result.emplace_back(address, *done);
        }
        return result;
      });
  if (!released) return report(released.error());
  Output output;
  for (const auto& [address, was_pulled] : *released) {
    output.text() +=
        fmt::format("{}: {}\n", shown(address),
                    was_pulled ? "released; its deletes pass in the next run" : "its brake is not pulled");
  }
  if (released->empty()) output.text() += "No brake is pulled.\n";
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_brake(CLI::App& app, Action& action) {
  CLI::App* brake = app.add_subcommand("brake", "The brake on mass deletes");
  brake->require_subcommand(1);
  CLI::App* release = brake->add_subcommand("release", "Let the deletes pass that it has stopped");
  auto options = std::make_shared<BrakeOptions>();
  release->add_option("--mailbox", options->mailboxes, "Only of this mailbox (default: all)")
      ->type_name("ADDRESS");
  add_actor_options(*release, options->actor.who, options->actor.reason);
  release->callback(
      [options, &action] { action = [options](const Globals& g) { return run_release(g, *options); }; });
}

}  // namespace syncline::cli
