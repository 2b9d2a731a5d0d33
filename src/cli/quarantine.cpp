// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline quarantine list|replay`: remote items that cannot be read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/record_lines.hpp"
#include "service/views/journal_json.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

struct QuarantineOptions {
  std::string mailbox;
  std::string format;
  std::vector<std::string> items;
  bool all = false;
  service::Actor actor;
};

/// Those of the mailbox, or all.
Result<std::vector<store::Quarantined>> found(store::Transaction& transaction,
                                              const QuarantineOptions& options,
                                              std::map<store::MailboxId, std::string>& addresses) {
  auto mailboxes = service::mailbox_addresses(transaction);
  if (!mailboxes) return fail(std::move(mailboxes.error()));
  addresses = std::move(*mailboxes);
  std::optional<store::MailboxId> mailbox;
  for (const auto& [id, address] : addresses) {
    if (address == text::to_lower_ascii(options.mailbox)) mailbox = id;
  }
  if (!options.mailbox.empty() && !mailbox)
    return fail(ErrorDomain::input, "no-mailbox", fmt::format("There is no mailbox {}", options.mailbox));
  return store::list_quarantine(transaction, mailbox);
}

ExitStatus run_list(const Globals& globals, const QuarantineOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  Output output;
  auto done = (*organisation)->store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    std::map<store::MailboxId, std::string> addresses;
    auto items = found(transaction, options, addresses);
    if (!items) return fail(std::move(items.error()));
    for (const store::Quarantined& item : *items) {
      if (options.format == "json") {
        append_line(output, service::to_json(item, addresses[item.mailbox]));
        continue;
      }
      append_wrapped(output.text(), shown(addresses[item.mailbox]) + " ",
                     shown(fmt::format("{}: {} ({}); tried {} times, last {}{}", item.item, item.text,
                                       item.code, item.attempts, print_time(item.last_tried),
                                       item.replay ? ", will be tried again" : "")));
      output.flush(false);
    }
    if (options.format == "text" && items->empty()) output.text() += "Nothing is in quarantine.\n";
    return {};
  });
  if (!done) return report(done.error());
  return finish(output, ExitStatus::done);
}

ExitStatus run_replay(const Globals& globals, const QuarantineOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  const std::string who = options.actor.who.empty() ? current_user() : options.actor.who;
  auto marked =
      (*organisation)
          ->store()
          .write<std::size_t>([&](store::Transaction& transaction) -> Result<std::size_t> {
            std::map<store::MailboxId, std::string> addresses;
            auto items = found(transaction, options, addresses);
            if (!items) return fail(std::move(items.error()));
            std::size_t count = 0;
            for (const std::string& wanted : options.items) {
              const bool there = std::any_of(items->begin(), items->end(),
                                             [&](const auto& item) { return item.item == wanted; });
              if (!there)
                return fail(ErrorDomain::input, "no-item", fmt::format("{} is not in quarantine", wanted));
            }
            for (store::Quarantined& item : *items) {
              const bool wanted = options.all || std::find(options.items.begin(), options.items.end(),
                                                           item.item) != options.items.end();
              if (!wanted) continue;
              item.replay = true;
              if (auto put = store::put_quarantined(transaction, item); !put)
                return fail(std::move(put.error()));
              auto audited =
                  store::append_audit(transaction, {.who = who,
                                                    .act = "quarantine.replay",
                                                    .object = addresses[item.mailbox] + " " + item.item,
                                                    .reason = options.actor.reason});
              if (!audited) return fail(std::move(audited.error()));
              ++count;
            }
            return count;
          });
  if (!marked) return report(marked.error());
  Output output;
  output.text() = fmt::format("{} items will be tried again in the next run.\n", *marked);
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_quarantine(CLI::App& app, Action& action) {
  CLI::App* quarantine = app.add_subcommand("quarantine", "Remote items that cannot be read");
  quarantine->require_subcommand(1);
  auto options = std::make_shared<QuarantineOptions>();
  CLI::App* list = quarantine->add_subcommand("list", "What is there, with the server's reason");
  list->add_option("--mailbox", options->mailbox, "Only of this mailbox")->type_name("ADDRESS");
  add_format_option(*list, options->format);
  list->callback(
      [options, &action] { action = [options](const Globals& g) { return run_list(g, *options); }; });

  CLI::App* replay = quarantine->add_subcommand("replay", "Try items again in the next run");
  replay->add_option("ITEM", options->items, "Ids as list prints them");
  replay->add_flag("--all", options->all, "All of them, or all of the mailbox");
  replay->add_option("--mailbox", options->mailbox, "Only of this mailbox")->type_name("ADDRESS");
  add_actor_options(*replay, options->actor.who, options->actor.reason);
  replay->callback([options, &action] {
    if (options->items.empty() == !options->all)
      throw CLI::ValidationError("quarantine replay", "name items, or --all");
    action = [options](const Globals& g) { return run_replay(g, *options); };
  });
}

}  // namespace syncline::cli
