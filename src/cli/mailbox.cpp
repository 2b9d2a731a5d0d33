// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline mailbox list|show|approve|reject|enable|disable`: one, several, or all of a profile.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "cli/check_report.hpp"
#include "cli/findings_text.hpp"
#include "cli/layout.hpp"
#include "cli/mailbox_edit.hpp"
#include "cli/mailbox_test.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/views/mailbox_json.hpp"
#include "service/views/mailbox_test_json.hpp"
#include "service/views/placement_json.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;
using service::examine;
using service::Examined;
using service::profile_name;

struct MailboxOptions {
  std::vector<std::string> addresses;
  std::string profile;
  std::string format;
  std::string language;
  std::string role;
  service::Actor actor;
};

rules::Language language_from(const MailboxOptions& options) {
  AssignmentOptions shared;
  shared.language = options.language;
  return language_of(shared);
}

/// The addresses that were named, or those of the profile; all for neither.
Result<std::vector<std::string>> chosen(const MailboxOptions& options,
                                        const service::StoredOrganisation& stored) {
  std::vector<std::string> addresses;
  for (const std::string& address : options.addresses) {
    addresses.push_back(text::to_lower_ascii(address));
    if (!stored.mailboxes.contains(addresses.back()))
      return fail(ErrorDomain::input, "no-mailbox", fmt::format("There is no mailbox {}", address));
  }
  if (!options.profile.empty() && !stored.profiles.contains(options.profile))
    return fail(ErrorDomain::input, "no-profile", fmt::format("There is no profile {}", options.profile));
  if (!options.addresses.empty()) return addresses;
  for (const model::Mailbox& mailbox : stored.configuration.mailboxes) {
    if (options.profile.empty() || profile_name(stored.configuration, mailbox) == options.profile)
      addresses.push_back(mailbox.address);
  }
  return addresses;
}

struct Opened {
  std::unique_ptr<service::Organisation> organisation;
  service::StoredOrganisation stored;
  std::vector<std::string> addresses;  ///< that the options choose
};

Result<Opened> open_chosen(const Globals& globals, const MailboxOptions& options, OpenFor purpose) {
  auto organisation = open_organisation(globals, purpose);
  if (!organisation) return fail(std::move(organisation.error()));
  auto stored = (*organisation)->load();
  if (!stored) return fail(std::move(stored.error()));
  auto addresses = chosen(options, *stored);
  if (!addresses) return fail(std::move(addresses.error()));
  return Opened{std::move(*organisation), std::move(*stored), std::move(*addresses)};
}

ExitStatus run_list(const Globals& globals, const MailboxOptions& options) {
  auto opened = open_chosen(globals, options, OpenFor::reading);
  if (!opened) return report(opened.error());
  auto& [organisation, stored, addresses] = *opened;
  std::map<std::string_view, const model::Mailbox*> by_address;
  for (const model::Mailbox& mailbox : stored.configuration.mailboxes) by_address[mailbox.address] = &mailbox;
  Output output;
  for (const std::string& address : addresses) {
    const model::Mailbox& mailbox = *by_address.at(address);
    if (options.format == "json") {
      append_line(output, service::mailbox_json(stored, mailbox));
      continue;
    }
    const service::MailboxStanding& standing = stored.mailboxes.at(address);
    output.text() += fmt::format(
        "{} {} {} {} {}\n", padded(shown(address), 36), padded(model::word_of(mailbox.kind), 7),
        padded(model::word_of(standing.approval.status), 8), standing.enabled ? "enabled " : "disabled",
        shown(profile_name(stored.configuration, mailbox)));
    output.flush(false);
  }
  if (options.format == "text" && addresses.empty()) output.text() += "No mailboxes.\n";
  return finish(output, ExitStatus::done);
}

void append_text(std::string& out, const service::StoredOrganisation& stored, const model::Mailbox& mailbox,
                 const Examined& examined, rules::Language language) {
  const service::MailboxStanding& standing = stored.mailboxes.at(mailbox.address);
  const model::Approval& approval = standing.approval;
  out += fmt::format("{}\n", shown(mailbox.address));
  const auto line = [&](std::string_view label, const std::string& value) {
    append_wrapped(out, fmt::format("  {}", padded(label, 14)), shown(value));
  };
  line("kind", std::string(model::word_of(mailbox.kind)));
  line("owner", mailbox.record_owner());
  line("profile", profile_name(stored.configuration, mailbox));
  std::string approved(model::word_of(approval.status));
  if (!approval.by.empty()) approved += " by " + approval.by;
  if (approval.at) approved += " at " + print_time(*approval.at);
  if (!approval.reason.empty()) approved += ": " + approval.reason;
  line("approval", approved);
  line("enabled", standing.enabled ? "yes" : "no");
  for (const auto& [key, value] : service::to_object(service::mailbox_settings(), mailbox)) {
    if (key != "address" && key != "kind" && key != "owner" && key != "profile")
      line(std::string_view(key), json::serialize(value));
  }
  std::string sealed;
  for (const std::string_view kind : service::secret_kinds) {
    if (stored.has_secret("mailbox", mailbox.address, kind))
      sealed += (sealed.empty() ? "" : ", ") + std::string(kind);
  }
  line("secrets", sealed.empty() ? "none" : sealed);
  if (examined.route) {
    const auto leg = [&](std::string_view label, const std::optional<router::LegRoute>& route) {
      if (route) line(label, printed(*route, language));
    };
    leg("mail in", examined.route->incoming);
    leg("mail out", examined.route->outgoing);
    leg("act", examined.route->act);
  }
  line("gate", examined.obstacle ? examined.obstacle->message : "open: it may be enabled");
  append_findings(out, examined.judged, language, rules::Severity::reject);
  append_findings(out, examined.judged, language, rules::Severity::warn);
}

/// Empty for null.
std::string text_of(const json::object& object, std::string_view name) {
  const json::value& value = object.at(name);
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

void append_placement(std::string& out, const json::object& placement) {
  std::string line = text_of(placement, "state");
  if (line.empty()) line = "not known";
  if (const std::string looked = text_of(placement, "lookedAt"); !looked.empty()) line += ", " + looked;
  if (const std::string text = text_of(placement, "text"); !text.empty()) line += ": " + text;
  if (const std::string asked = text_of(placement, "requestedAt"); !asked.empty())
    line += "; asked for at " + asked;
  append_wrapped(out, fmt::format("  {}", padded("placement", 14)), shown(line));
}

void append_latest_test(std::string& out, const json::object& test) {
  std::string line = text_of(test, "state");
  if (const std::string ended = text_of(test, "endedAt"); !ended.empty()) line += ", " + ended;
  if (const std::string next = text_of(test, "nextTryAt"); !next.empty()) line += ", next at " + next;
  append_wrapped(out, fmt::format("  {}", padded("test", 14)), shown(line));
  append_test_text(out, test);
}

ExitStatus run_show(const Globals& globals, const MailboxOptions& options) {
  auto opened = open_chosen(globals, options, OpenFor::reading);
  if (!opened) return report(opened.error());
  auto& [organisation, stored, addresses] = *opened;
  const rules::Language language = language_from(options);
  const service::Assignments assignments(stored.configuration, stored, organisation->today());
  const service::MailboxGate gate(stored, organisation->today());
  using ByMailbox = std::map<store::MailboxId, json::object>;
  auto tests = organisation->store().read<ByMailbox>(
      [](store::Transaction& transaction) { return service::latest_tests(transaction); });
  if (!tests) return report(tests.error());
  auto placements = organisation->store().read<ByMailbox>(
      [](store::Transaction& transaction) { return service::latest_placements(transaction); });
  if (!placements) return report(placements.error());
  Output output;
  for (const std::string& address : addresses) {
    const model::Mailbox& mailbox = *stored.configuration.mailbox_of(address);
    const Examined examined = examine(assignments, gate, mailbox);
    const auto test = tests->find(stored.mailboxes.at(address).id);
    const auto placement = placements->find(stored.mailboxes.at(address).id);
    if (options.format == "text") {
      append_text(output.text(), stored, mailbox, examined, language);
      if (placement != placements->end()) append_placement(output.text(), placement->second);
      if (test != tests->end()) append_latest_test(output.text(), test->second);
      continue;
    }
    json::object object = service::mailbox_details_json(stored, mailbox, examined, language);
    object["test"] = nullptr;
    if (test != tests->end()) object["test"] = test->second;
    object["placement"] = nullptr;
    if (placement != placements->end()) object["placement"] = placement->second;
    append_line(output, object);
  }
  return finish(output, ExitStatus::done);
}

std::string_view done_word(service::MailboxAct act) noexcept {
  switch (act) {
    case service::MailboxAct::approve:
      return "approved";
    case service::MailboxAct::reject:
      return "rejected";
    case service::MailboxAct::enable:
      return "enabled";
    case service::MailboxAct::disable:
      return "disabled";
  }
  return {};
}

ExitStatus run_act(const Globals& globals, const MailboxOptions& options, service::MailboxAct act) {
  auto opened = open_chosen(globals, options, OpenFor::writing);
  if (!opened) return report(opened.error());
  auto& [organisation, stored, addresses] = *opened;
  service::Actor actor = options.actor;
  if (actor.who.empty()) actor.who = current_user();
  auto outcomes = service::administer(*organisation, act, addresses, actor, options.role);
  if (!outcomes) return report(outcomes.error());
  const rules::Language language = language_from(options);
  Output output;
  ExitStatus status = ExitStatus::done;
  for (const service::MailboxActOutcome& outcome : *outcomes) {
    if (outcome.obstacle) status = ExitStatus::refused;
    if (options.format == "json") {
      append_line(output, service::to_json(outcome, act, language));
      continue;
    }
    std::string& out = output.text();
    if (outcome.obstacle) {
      append_wrapped(out, fmt::format("{}: not {}: ", shown(outcome.address), done_word(act)),
                     shown(outcome.obstacle->message));
      if (outcome.obstacle->judged)
        append_findings(out, *outcome.obstacle->judged, language, rules::Severity::reject);
    } else {
      out += fmt::format("{}: {}{}\n", shown(outcome.address), done_word(act),
                         outcome.changed ? "" : " already");
    }
    output.flush(false);
  }
  return finish(output, status);
}

void add_choice(CLI::App& command, MailboxOptions& options, bool required) {
  command.add_option("ADDRESS", options.addresses, "Mailboxes");
  command.add_option("--profile", options.profile, "All mailboxes of this profile")->type_name("NAME");
  add_format_option(command, options.format);
  command.add_option("--lang", options.language, "Language of findings (default: the locale's)")
      ->check(CLI::IsMember({"en", "it", "ja", "pt"}));
  if (!required) command.get_option("ADDRESS")->description("Mailboxes (default: all)");
}

void check_choice(const MailboxOptions& options, const std::string& command) {
  if (!options.addresses.empty() && !options.profile.empty())
    throw CLI::ValidationError(command, "addresses and --profile exclude each other");
  if (options.addresses.empty() && options.profile.empty())
    throw CLI::ValidationError(command, "name mailboxes, or --profile NAME");
}

}  // namespace

void add_mailbox(CLI::App& app, Action& action) {
  CLI::App* mailbox = app.add_subcommand("mailbox", "Mailboxes: look at, approve, enable");
  mailbox->require_subcommand(1);
  auto options = std::make_shared<MailboxOptions>();

  CLI::App* list = mailbox->add_subcommand("list", "Mailboxes with approval and profile");
  add_choice(*list, *options, false);
  list->callback(
      [options, &action] { action = [options](const Globals& g) { return run_list(g, *options); }; });

  CLI::App* show = mailbox->add_subcommand("show", "Everything about mailboxes, and what the gate says");
  add_choice(*show, *options, true);
  show->callback([options, &action] {
    check_choice(*options, "mailbox show");
    action = [options](const Globals& g) { return run_show(g, *options); };
  });

  add_mailbox_test(*mailbox, action);
  add_mailbox_edit(*mailbox, action);

  struct Described {
    service::MailboxAct act;
    const char* help;
  };
  for (const Described& one :
       {Described{service::MailboxAct::approve, "Approve addresses: their mail may be processed"},
        Described{service::MailboxAct::reject, "Reject addresses; disables them"},
        Described{service::MailboxAct::enable,
                  "Enable mailboxes that are approved and that the rules accept"},
        Described{service::MailboxAct::disable, "Disable mailboxes; nothing is lost"}}) {
    const std::string name(to_string(one.act));
    CLI::App* command = mailbox->add_subcommand(name, one.help);
    add_choice(*command, *options, true);
    add_actor_options(*command, options->actor.who, options->actor.reason);
    if (one.act == service::MailboxAct::approve) {
      command->add_option("--role", options->role, "Role of who approves, for rules that ask for one")
          ->check(CLI::IsMember(
              {"global_admin", "exchange_admin", "delegated_approver", "system_admin", "foreign_admin"}));
    }
    command->footer("Exit: 0 done, 1 one was refused, 2 no such mailbox or profile; nothing changed.");
    command->callback([options, act = one.act, name, &action] {
      check_choice(*options, "mailbox " + name);
      action = [options, act](const Globals& g) { return run_act(g, *options, act); };
    });
  }
}

}  // namespace syncline::cli
