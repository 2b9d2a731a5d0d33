// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline audit`: every administrative act.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/views/journal_json.hpp"
#include "store/journal.hpp"

namespace syncline::cli {
namespace {

ExitStatus run_audit(const Globals& globals, const std::string& format, std::int64_t after) {
  constexpr int page_size = 1000;
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  Output output;
  for (;;) {
    auto page =
        (*organisation)->store().read<std::vector<store::AuditEntry>>([&](store::Transaction& transaction) {
          return store::list_audit(transaction, after, page_size);
        });
    if (!page) {
      output.flush(true);
      return report(page.error());
    }
    for (const store::AuditEntry& entry : *page) {
      after = entry.sequence;
      if (format == "json") {
        append_line(output, service::to_json(entry));
      } else {
        append_wrapped(output.text(), fmt::format("{} {} ", print_time(entry.at), shown(entry.who)),
                       shown(fmt::format("{} {}{}{}", entry.act, entry.object,
                                         entry.reason.empty() ? "" : ": ", entry.reason)));
        output.flush(false);
      }
    }
    if (page->size() < static_cast<std::size_t>(page_size) || output.failed()) break;
  }
  return finish(output, ExitStatus::done);
}

}  // namespace

void add_audit(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("audit", "Every administrative act: when, who, what, why");
  auto format = std::make_shared<std::string>();
  auto after = std::make_shared<std::int64_t>(0);
  add_format_option(*command, *format);
  command->add_option("--after", *after, "Only entries after this number")->type_name("SEQUENCE");
  command->callback([format, after, &action] {
    action = [format, after](const Globals& globals) { return run_audit(globals, *format, *after); };
  });
}

}  // namespace syncline::cli
