// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline record list|show|add|update|delete`: records as JSON lines (docs/records.md).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "base/text.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/organisation/record_lines.hpp"

namespace syncline::cli {
namespace {

namespace json = boost::json;
using Addresses = std::map<store::MailboxId, std::string>;

struct RecordOptions {
  std::string format;
  std::string kind;
  std::string owner;
  std::string external_id;
  std::vector<std::string> ids;
  std::optional<std::int64_t> version;
  std::int64_t most = 0;
  bool deleted = false;
};

std::string title_of(const model::Record& record) {
  const auto text_of = [&](std::string_view name) -> std::string {
    const auto* value = record.fields.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  const std::string given = text_of("givenName");
  const std::string surname = text_of("surname");
  const std::string person = given + (given.empty() || surname.empty() ? "" : " ") + surname;
  for (const std::string& title :
       {text_of("subject"), text_of("displayName"), text_of("fileAs"), person, text_of("companyName")}) {
    if (!title.empty()) return shown(title);
  }
  return "—";
}

void append_text(std::string& out, const model::Record& record) {
  out += fmt::format("{} {} {} {} {}{}\n", padded(std::to_string(record.id), 8),
                     padded(model::to_string(record.kind), 11), padded(fmt::format("v{}", record.version), 5),
                     padded(shown(record.owner), 28), record.deleted ? "(deleted) " : "", title_of(record));
}

Result<void> print(Output& output, store::Transaction& transaction, const model::Record& record,
                   const RecordOptions& options, Addresses& addresses) {
  if (options.format == "text") {
    append_text(output.text(), record);
    output.flush(false);
    return {};
  }
  auto object = service::record_to_json(transaction, record, addresses);
  if (!object) return fail(std::move(object.error()));
  append_line(output, *object);
  return {};
}

ExitStatus run_list(const Globals& globals, const RecordOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  Output output;
  store::RecordQuery query;
  if (!options.kind.empty()) query.kind = model::parse_record_kind(options.kind);
  if (!options.owner.empty()) query.owner = text::to_lower_ascii(options.owner);
  query.deleted_too = options.deleted;
  std::int64_t left = options.most;
  // Page by page: a reader that stays open keeps the log from being emptied.
  for (;;) {
    query.most = options.most > 0 ? static_cast<int>(std::min<std::int64_t>(left, 1000)) : 1000;
    auto count = (*organisation)
                     ->store()
                     .read<std::size_t>([&](store::Transaction& transaction) -> Result<std::size_t> {
                       auto addresses = service::mailbox_addresses(transaction);
                       if (!addresses) return fail(std::move(addresses.error()));
                       auto page = store::list_records(transaction, query);
                       if (!page) return fail(std::move(page.error()));
                       for (const model::Record& record : *page) {
                         if (auto done = print(output, transaction, record, options, *addresses); !done)
                           return fail(std::move(done.error()));
                         query.after = record.id;
                       }
                       return page->size();
                     });
    if (!count) {
      output.flush(true);
      return report(count.error());
    }
    left -= static_cast<std::int64_t>(*count);
    if (*count < static_cast<std::size_t>(query.most) || (options.most > 0 && left <= 0) || output.failed())
      break;
  }
  return finish(output, ExitStatus::done);
}

/// Ids as given; nullopt after a complaint.
std::optional<std::vector<model::RecordId>> ids_of(const RecordOptions& options) {
  std::vector<model::RecordId> ids;
  for (const std::string& text : options.ids) {
    const auto id = service::parse_record_id(text);
    if (!id) {
      complain(fmt::format("{} is no id of a record", shown(text)));
      return std::nullopt;
    }
    ids.push_back(*id);
  }
  return ids;
}

ExitStatus run_show(const Globals& globals, const RecordOptions& options) {
  const auto ids = ids_of(options);
  if (!ids) return ExitStatus::bad_input;
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  Output output;
  ExitStatus status = ExitStatus::done;
  auto done = (*organisation)->store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    auto addresses = service::mailbox_addresses(transaction);
    if (!addresses) return fail(std::move(addresses.error()));
    std::vector<model::Record> records;
    for (const model::RecordId id : *ids) {
      auto record = store::find_record(transaction, id, true);
      if (!record) return fail(std::move(record.error()));
      if (!*record) {
        complain(fmt::format("there is no record {}", id));
        status = ExitStatus::bad_input;
      } else {
        records.push_back(std::move(**record));
      }
    }
    if (!options.external_id.empty()) {
      auto record = store::find_record_by_external_id(transaction, options.external_id);
      if (!record) return fail(std::move(record.error()));
      if (!*record) {
        complain(fmt::format("there is no record with the external id {}", shown(options.external_id)));
        status = ExitStatus::bad_input;
      } else {
        records.push_back(std::move(**record));
      }
    }
    for (const model::Record& record : records) {
      if (options.format == "json") {
        if (auto printed = print(output, transaction, record, options, *addresses); !printed) return printed;
        continue;
      }
      append_text(output.text(), record);
      for (const auto& [name, value] : record.fields)
        append_wrapped(output.text(), fmt::format("    {} ", padded(std::string_view(name), 22)),
                       shown(json::serialize(value)));
      auto links = store::links_of_record(transaction, record.id);
      if (!links) return fail(std::move(links.error()));
      for (const store::Link& link : *links) {
        const auto address = addresses->find(link.mailbox);
        output.text() += fmt::format("    {} {}, {}\n", padded("link", 22),
                                     address == addresses->end() ? "?" : shown(address->second),
                                     store::to_string(link.state));
      }
    }
    return {};
  });
  if (!done) return report(done.error());
  return finish(output, status);
}

struct NumberedLine {
  std::uint64_t number = 0;
  service::RecordLine line;
};

/// Every line of standard input, read before anything is changed. nullopt after complaints.
std::optional<std::vector<NumberedLine>> read_lines(bool adding) {
  std::vector<NumberedLine> lines;
  std::string text;
  std::uint64_t number = 0;
  int bad = 0;
  while (bad < 20 && std::getline(std::cin, text)) {
    ++number;
    if (number == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    if (text::trim(text).empty()) continue;
    auto line = adding ? service::read_add_line(text) : service::read_update_line(text);
    if (line) {
      lines.push_back({number, std::move(*line)});
    } else {
      complain(fmt::format("standard input:{}: {}", number, shown(line.error().message)));
      ++bad;
    }
  }
  if (std::cin.bad()) {
    complain("standard input: reading failed");
    return std::nullopt;
  }
  if (bad > 0) return std::nullopt;
  return lines;
}

/// A line that was refused, with the record as it is where there is one.
json::object refusal_json(std::uint64_t number, const Error& error,
                          const std::optional<json::object>& current) {
  json::object object{{"line", number}, {"error", {{"code", error.code}, {"message", error.message}}}};
  object["current"] = nullptr;
  if (current) object["current"] = *current;
  return object;
}

/// What is wrong with a line alone, not with the store.
bool is_of_line(const Error& error) noexcept {
  return error.domain == ErrorDomain::input || error.code == "stale-version" ||
         error.code == "external-id-taken";
}

class Changes {
 public:
  Changes(service::Organisation& organisation, const RecordOptions& options)
      : organisation_(organisation), options_(options) {}

  /// `change` for each, in transactions of a few hundred.
  template <class Line, class Change, class Id>
  ExitStatus run(const std::vector<Line>& lines, Change change, Id id_of) {
    constexpr std::size_t batch = 200;
    for (std::size_t first = 0; first < lines.size(); first += batch) {
      const std::size_t end = std::min(first + batch, lines.size());
      // What is printed was committed: a batch that fails prints nothing.
      std::string printed;
      ExitStatus status = ExitStatus::done;
      auto done = organisation_.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
        auto addresses = service::mailbox_addresses(transaction);
        if (!addresses) return fail(std::move(addresses.error()));
        for (std::size_t i = first; i < end; ++i) {
          auto changed = change(transaction, lines[i]);
          if (!changed && !is_of_line(changed.error())) return fail(std::move(changed.error()));
          auto said = changed ? say(printed, transaction, *changed, *addresses)
                              : refuse(printed, transaction, changed.error(), id_of(lines[i]), *addresses);
          if (!said) return said;
          if (!changed) status = worse(status, ExitStatus::refused);
        }
        return {};
      });
      if (!done) {
        output_.flush(true);
        return worse(report(done.error()), status_);
      }
      output_.text() += printed;
      output_.flush(false);
      status_ = worse(status_, status);
    }
    for (const std::string& message : complaints_) complain(message);
    return finish(output_, status_);
  }

 private:
  struct Place {
    std::uint64_t number = 0;
    std::optional<model::RecordId> record;
  };
  Result<void> say(std::string& out, store::Transaction& transaction, const service::RecordChange& change,
                   Addresses& addresses) const {
    if (options_.format == "text") {
      out += fmt::format("{} ", padded(to_string(change.what), 9));
      append_text(out, change.record);
      return {};
    }
    auto object = service::record_to_json(transaction, change.record, addresses);
    if (!object) return fail(std::move(object.error()));
    out += json::serialize(*object) + "\n";
    return {};
  }
  Result<void> refuse(std::string& out, store::Transaction& transaction, const Error& error,
                      const std::pair<std::uint64_t, std::optional<model::RecordId>>& place,
                      Addresses& addresses) {
    complaints_.push_back(place.first > 0
                              ? fmt::format("standard input:{}: {}", place.first, shown(error.message))
                              : shown(error.message));
    if (options_.format == "text") return {};
    std::optional<json::object> current;
    if (place.second) {
      auto record = store::find_record(transaction, *place.second, true);
      if (!record) return fail(std::move(record.error()));
      if (*record) {
        auto object = service::record_to_json(transaction, **record, addresses);
        if (!object) return fail(std::move(object.error()));
        current = std::move(*object);
      }
    }
    out += json::serialize(refusal_json(place.first, error, current)) + "\n";
    return {};
  }

  service::Organisation& organisation_;
  const RecordOptions& options_;
  Output output_;
  std::vector<std::string> complaints_;
  ExitStatus status_ = ExitStatus::done;
};

ExitStatus run_lines(const Globals& globals, const RecordOptions& options, bool adding) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  const auto lines = read_lines(adding);
  if (!lines) return ExitStatus::bad_input;
  auto contents = (*organisation)->content();
  if (!contents) return report(contents.error());
  return Changes(**organisation, options)
      .run(
          *lines,
          [adding, &store = **contents](store::Transaction& transaction, const NumberedLine& line) {
            return adding ? service::add_record(transaction, store, line.line)
                          : service::update_record(transaction, store, line.line);
          },
          [](const NumberedLine& line) { return std::pair(line.number, line.line.id); });
}

ExitStatus run_delete(const Globals& globals, const RecordOptions& options) {
  const auto ids = ids_of(options);
  if (!ids) return ExitStatus::bad_input;
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  return Changes(**organisation, options)
      .run(
          *ids,
          [&](store::Transaction& transaction, model::RecordId id) {
            return service::delete_record(transaction, id, options.version);
          },
          [](model::RecordId id) { return std::pair(std::uint64_t{0}, std::optional(id)); });
}

}  // namespace

void add_record(CLI::App& app, Action& action) {
  CLI::App* record = app.add_subcommand("record", "Records: e-mails, appointments, contacts, tasks");
  record->require_subcommand(1);
  auto options = std::make_shared<RecordOptions>();

  CLI::App* list = record->add_subcommand("list", "Records, in the order of their ids");
  list->add_option("--kind", options->kind, "Only this kind")
      ->check(CLI::IsMember({"email", "appointment", "contact", "task"}));
  list->add_option("--owner", options->owner, "Only those of this user or queue")->type_name("ADDRESS");
  list->add_flag("--deleted", options->deleted, "Deleted ones, too");
  list->add_option("--most", options->most, "At most so many")->check(CLI::PositiveNumber);
  add_format_option(*list, options->format);
  list->callback(
      [options, &action] { action = [options](const Globals& g) { return run_list(g, *options); }; });

  CLI::App* show = record->add_subcommand("show", "Records with all their fields and links");
  show->add_option("ID", options->ids, "Ids");
  show->add_option("--external-id", options->external_id, "The application's own key")->type_name("KEY");
  add_format_option(*show, options->format);
  show->callback([options, &action] {
    if (options->ids.empty() && options->external_id.empty())
      throw CLI::ValidationError("record show", "name an ID or --external-id");
    action = [options](const Globals& g) { return run_show(g, *options); };
  });

  const char* const footer =
      "Nothing is changed unless every line can be read (exit 2). A line that is refused, for a stale "
      "version say, "
      "leaves the others alone (exit 1); with --format json it is answered by its error and the record as it "
      "is.";
  CLI::App* add = record->add_subcommand("add", "Add records: JSON lines from standard input");
  add_format_option(*add, options->format);
  add->footer(footer);
  add->callback(
      [options, &action] { action = [options](const Globals& g) { return run_lines(g, *options, true); }; });

  CLI::App* update = record->add_subcommand("update", "Change records: JSON lines with id and version");
  add_format_option(*update, options->format);
  update->footer(footer);
  update->callback(
      [options, &action] { action = [options](const Globals& g) { return run_lines(g, *options, false); }; });

  CLI::App* remove = record->add_subcommand("delete", "Delete records; they stay in the store, marked");
  remove->add_option("ID", options->ids, "Ids")->required();
  remove->add_option("--version", options->version, "Only if this is the current version");
  add_format_option(*remove, options->format);
  remove->callback(
      [options, &action] { action = [options](const Globals& g) { return run_delete(g, *options); }; });
}

}  // namespace syncline::cli
