// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline journal`: what happened to items, and why.
#include "store/journal.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/record_lines.hpp"
#include "service/views/journal_json.hpp"

namespace syncline::cli {
namespace {

struct JournalOptions {
  std::string mailbox;
  std::string item;
  std::string event;
  std::string format;
  std::int64_t after = 0;
};

void append_text(std::string& out, const store::JournalEntry& entry, const std::string& address) {
  std::string line = entry.event;
  if (!entry.reason.empty()) line += fmt::format(" ({})", entry.reason);
  if (!address.empty()) line += " " + address;
  if (entry.record != 0) line += fmt::format(" record {}", entry.record);
  if (!entry.text.empty()) line += ": " + entry.text;
  append_wrapped(out, print_time(entry.at) + " ", shown(line));
  if (!entry.detail.empty()) append_wrapped(out, std::string(21, ' '), shown(entry.detail));
}

ExitStatus run_journal(const Globals& globals, const JournalOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  store::Store& store = (*organisation)->store();
  auto addresses = store.read<std::map<store::MailboxId, std::string>>(service::mailbox_addresses);
  if (!addresses) return report(addresses.error());
  store::JournalQuery query;
  query.after = options.after;
  if (!options.item.empty()) query.item = options.item;
  if (!options.event.empty()) query.event = options.event;
  if (!options.mailbox.empty()) {
    for (const auto& [id, address] : *addresses) {
      if (address == text::to_lower_ascii(options.mailbox)) query.mailbox = id;
    }
    if (!query.mailbox) {
      return report({.domain = ErrorDomain::input,
                     .code = "no-mailbox",
                     .message = fmt::format("There is no mailbox {}", options.mailbox)});
    }
  }
  Output output;
  for (;;) {
    auto page = store.read<std::vector<store::JournalEntry>>(
        [&](store::Transaction& transaction) { return store::list_journal(transaction, query); });
    if (!page) {
      output.flush(true);
      return report(page.error());
    }
    for (const store::JournalEntry& entry : *page) {
      const auto found = addresses->find(entry.mailbox);
      const std::string address = found == addresses->end() ? std::string() : found->second;
      if (options.format == "json") {
        append_line(output, service::to_json(entry, address));
      } else {
        append_text(output.text(), entry, address);
        output.flush(false);
      }
      query.after = entry.sequence;
    }
    if (page->size() < static_cast<std::size_t>(query.most) || output.failed()) break;
  }
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_journal(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("journal", "What happened to items, and why; why mail was not tracked");
  auto options = std::make_shared<JournalOptions>();
  command->add_option("--mailbox", options->mailbox, "Only of this mailbox")->type_name("ADDRESS");
  command->add_option("--item", options->item, "Only of this item: remote id, record's id or Message-ID")
      ->type_name("ID");
  command->add_option("--event", options->event,
                      "Only this: tracked, not-tracked, merged, conflict, sent, …");
  command->add_option("--after", options->after, "Only entries after this number")->type_name("SEQUENCE");
  add_format_option(*command, options->format);
  command->callback(
      [options, &action] { action = [options](const Globals& g) { return run_journal(g, *options); }; });
}

}  // namespace syncline::cli
