// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline sync`: the main job in the foreground, with progress and a summary by mailbox and kind; beside a
// running `serve` the daemon does it.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/array.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "cli/configuration_file.hpp"
#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "net/system_environment.hpp"
#include "service/control/control_client.hpp"
#include "service/control/outcome_lines.hpp"
#include "service/engine/proposed_organisation.hpp"
#include "service/engine/sync_organisation.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "store/engine_lock.hpp"
#include "sync/orders.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

namespace asio = net::asio;
namespace json = boost::json;

struct Options {
  std::vector<std::string> mailboxes;
  bool once = false;
  bool dry_run = false;
  std::string proposed;  ///< of a dry run: a file that it goes by as if it were applied
  bool take_over = false;
  service::Actor actor;
  std::string format = "text";
};

/// For the copy of the database that a dry run works on.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    std::error_code failed;
    const std::filesystem::path place = std::filesystem::temp_directory_path(failed);
    TemporaryFolder folder;
    folder.path_ = place.string() + "/syncline-dry-run.XXXXXX";
    if (failed || mkdtemp(folder.path_.data()) == nullptr) {
      folder.path_.clear();
      return fail(ErrorDomain::local, "io", "cannot make a folder for temporary files in " + place.string());
    }
    return folder;
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() { remove(); }
  const std::string& path() const { return path_; }
  void remove() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

 private:
  TemporaryFolder() = default;
  std::string path_;
};

/// One line on a terminal that tells how far the mailboxes are; nothing in a pipe.
class ProgressLine {
 public:
  ProgressLine() : shown_(isatty(STDERR_FILENO) != 0) {}
  ~ProgressLine() { clear(); }

  void update(const std::string& address, const sync::RunProgress& progress) {
    if (!shown_) return;
    std::string bar;
    if (progress.total > 0) {
      constexpr std::uint64_t cells = 20;
      const std::uint64_t full = std::min(cells, progress.done * cells / progress.total);
      bar = fmt::format("[{}{}] {}/{}", std::string(full, '#'), std::string(cells - full, '.'), progress.done,
                        progress.total);
    }
    std::string line =
        fmt::format("{}: {} {} {}", shown(address), progress.phase, shown(progress.folder), bar);
    if (display_width(line) > kColumns - 1)
      line = fmt::format("{} {} {}", progress.phase, shown(progress.folder), bar);
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    dirty_ = true;
  }
  void clear() {
    if (dirty_) std::fprintf(stderr, "\r\033[K");
    dirty_ = false;
  }

 private:
  bool shown_;
  bool dirty_ = false;
};

constexpr std::string_view plural_of(model::RecordKind kind) {
  switch (kind) {
    case model::RecordKind::email:
      return "e-mails";
    case model::RecordKind::appointment:
      return "appointments";
    case model::RecordKind::contact:
      return "contacts";
    case model::RecordKind::task:
      return "tasks";
  }
  return "";
}

std::string counts_text(model::RecordKind kind, const sync::KindCounts& counts) {
  const bool mail = kind == model::RecordKind::email;
  const std::pair<std::uint64_t, std::string_view> parts[] = {
      {counts.came, "came"},
      {counts.changed_here, "changed here"},
      {counts.went, mail ? "sent" : "went"},
      {counts.changed_there, "changed there"},
      {counts.merged, "merged"},
      {counts.conflicts, "conflicts"},
      {counts.removed_here, "deleted here"},
      {counts.removed_there, "deleted there"},
      {counts.unlinked, "unlinked"},
      {counts.not_tracked, mail ? "not tracked" : "left alone"},
      {counts.quarantined, "quarantined"},
      {counts.refused, "refused"},
  };
  std::string text;
  for (const auto& [count, word] : parts)
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, word);
  return text;
}

json::object counts_json(const sync::KindCounts& counts) {
  return {{"came", counts.came},
          {"changedHere", counts.changed_here},
          {"went", counts.went},
          {"changedThere", counts.changed_there},
          {"merged", counts.merged},
          {"conflicts", counts.conflicts},
          {"removedHere", counts.removed_here},
          {"removedThere", counts.removed_there},
          {"unlinked", counts.unlinked},
          {"notTracked", counts.not_tracked},
          {"quarantined", counts.quarantined},
          {"refused", counts.refused}};
}

/// Whom a write would mail: recipients of a message; attendees of a meeting, those taken off the list too.
std::vector<std::string> mailed_by(const sync::WriteOrder& order) {
  std::vector<std::string> people;
  const auto add_from = [&](const model::Fields& fields, const char* list) {
    const json::value* persons = fields.if_contains(list);
    if (persons == nullptr || !persons->is_array()) return;
    for (const json::value& person : persons->get_array()) {
      const json::object* mailbox = person.if_object();
      if (mailbox != nullptr && mailbox->contains("mailbox")) mailbox = mailbox->at("mailbox").if_object();
      const json::value* address = mailbox != nullptr ? mailbox->if_contains("emailAddress") : nullptr;
      if (address == nullptr || !address->is_string()) continue;
      const std::string_view said = address->get_string();
      if (std::none_of(people.begin(), people.end(),
                       [&](const std::string& one) { return text::equals_ignore_case(one, said); }))
        people.emplace_back(said);
    }
  };
  if (order.what == sync::WriteOrder::What::send)
    for (const char* list : {"toRecipients", "ccRecipients", "bccRecipients"}) add_from(order.fields, list);
  if (order.mail_attendees)
    for (const model::Fields* fields : {&order.fields, &order.base})
      for (const char* list : {"requiredAttendees", "optionalAttendees", "resources"})
        add_from(*fields, list);
  return people;
}

/// "create appointment "Review"; would mail ana@contoso.example, bo@contoso.example and 3 more"
std::string order_text(const sync::WriteOrder& order) {
  std::string name;
  for (const char* field : {"subject", "displayName", "surname", "givenName"})
    for (const model::Fields* fields : {&order.fields, &order.base})
      if (const json::value* value = fields->if_contains(field);
          name.empty() && value != nullptr && value->is_string())
        name = std::string(value->get_string());
  std::string text = fmt::format("{} {}", sync::to_string(order.what), model::to_string(order.kind));
  if (!name.empty()) text += fmt::format(" \"{}\"", shown(name));
  const std::vector<std::string> people = mailed_by(order);
  constexpr std::size_t most_named = 10;
  for (std::size_t i = 0; i < std::min(people.size(), most_named); ++i)
    text += (i == 0 ? "; would mail " : ", ") + shown(people[i]);
  if (people.size() > most_named) text += fmt::format(" and {} more", people.size() - most_named);
  return text;
}

json::object order_json(const sync::WriteOrder& order) {
  json::array people;
  for (const std::string& address : mailed_by(order)) people.emplace_back(address);
  return {{"what", sync::to_string(order.what)},
          {"kind", model::to_string(order.kind)},
          {"item", order.item.id.empty() ? json::value() : json::value(order.item.id)},
          {"fields", order.fields},
          {"mails", std::move(people)}};
}

json::object outcome_json(const service::MailboxOutcome& outcome, bool dry_run) {
  json::object object{{"mailbox", outcome.address},
                      {"outcome", outcome.summary ? (dry_run ? "dry-run" : "done") : "failed"},
                      {"error", nullptr},
                      {"endpoint", outcome.endpoint.empty() ? json::value() : json::value(outcome.endpoint)},
                      {"serverVersion",
                       outcome.server_version.empty() ? json::value() : json::value(outcome.server_version)}};
  if (!outcome.summary) {
    const Error& error = outcome.summary.error();
    object["error"] = json::object{
        {"code", error.code}, {"message", shown(error.describe())}, {"retry", to_string(error.retry)}};
    return object;
  }
  const sync::MailboxSummary& summary = *outcome.summary;
  json::object kinds;
  for (const model::RecordKind kind : model::record_kinds)
    kinds[model::to_string(kind)] = counts_json(summary.of(kind));
  object["kinds"] = std::move(kinds);
  object["requests"] = summary.requests;
  object["waiting"] = summary.waiting;
  object["needsPerson"] = summary.needs_person;
  object["brake"] = summary.brake;
  object["takenOverFrom"] =
      summary.taken_over_from.empty() ? json::value() : json::value(shown(summary.taken_over_from));
  if (dry_run) {
    json::array orders;
    for (const sync::WriteOrder& order : outcome.would_write) orders.push_back(order_json(order));
    object["wouldWrite"] = std::move(orders);
  }
  return object;
}

void append_text(std::string& out, const service::MailboxOutcome& outcome, bool dry_run) {
  std::string head = shown(outcome.address);
  if (!outcome.summary) {
    append_wrapped(out, head + ": ", "failed: " + shown(outcome.summary.error().describe()));
    return;
  }
  const sync::MailboxSummary& summary = *outcome.summary;
  if (!outcome.server_version.empty()) head += " (Exchange " + shown(outcome.server_version) + ")";
  out += head + "\n";
  if (!summary.taken_over_from.empty())
    append_wrapped(
        out, "  ",
        (dry_run ? "would be taken over from " : "taken over from ") + shown(summary.taken_over_from));
  bool anything = !summary.taken_over_from.empty();
  for (const model::RecordKind kind : model::record_kinds) {
    const std::string counts = counts_text(kind, summary.of(kind));
    if (counts.empty()) continue;
    anything = true;
    append_wrapped(out, "  " + padded(plural_of(kind), 14), counts);
  }
  if (!anything) out += "  nothing has changed\n";
  if (summary.waiting > 0)
    append_wrapped(
        out, "  ",
        fmt::format("{} writes wait for the server to settle; the next run goes on", summary.waiting));
  if (summary.needs_person > 0)
    append_wrapped(out, "  ", fmt::format("{} need a person: syncline alerts", summary.needs_person));
  if (summary.brake)
    append_wrapped(out, "  ", "the brake on deletes was pulled: syncline alerts; syncline brake release");
  if (!dry_run) return;
  out += outcome.would_write.empty() ? "  would write nothing\n" : "  would:\n";
  for (const sync::WriteOrder& order : outcome.would_write) append_wrapped(out, "    ", order_text(order));
}

bool is_unreachable(const Error& error) {
  if (error.domain == ErrorDomain::net) return true;
  return error.code == "unreachable" || error.code == "dns-failed" || error.code == "name-not-found";
}

/// Refused if any mailbox failed or anything in one was refused; unreachable if that is all there is to say.
ExitStatus status_of_outcome(const service::SyncOutcome& outcome) {
  if (!outcome.mailboxes.empty() &&
      std::all_of(outcome.mailboxes.begin(), outcome.mailboxes.end(), [](const service::MailboxOutcome& one) {
        return !one.summary && is_unreachable(one.summary.error());
      }))
    return ExitStatus::unreachable;
  bool refused = !outcome.not_ready.empty();
  for (const service::MailboxOutcome& one : outcome.mailboxes) {
    if (!one.summary) {
      refused = true;
      continue;
    }
    refused = refused || one.summary->brake || one.summary->needs_person > 0;
    for (const sync::KindCounts& counts : one.summary->kinds) refused = refused || counts.refused > 0;
  }
  return refused ? ExitStatus::refused : ExitStatus::done;
}

/// What a run of the organisation is made of, here or in a daemon.
using Synchronise = std::function<net::Async<service::SyncOutcome>(net::asio::any_io_executor executor,
                                                                   ProgressLine& progress)>;

/// Runs it on this thread, with progress; SIGINT and SIGTERM end the process after `on_interrupt`.
std::optional<Result<service::SyncOutcome>> drive(const Synchronise& synchronise,
                                                  const std::function<void()>& on_interrupt) {
  asio::io_context context;
  ProgressLine progress;
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& failure, int) {
    if (failure) return;
    progress.clear();
    on_interrupt();
    std::fflush(nullptr);
    // Everything durable is in the store; connections and the lock end with the process.
    std::_Exit(static_cast<int>(ExitStatus::interrupted));
  });
  std::optional<Result<service::SyncOutcome>> outcome;
  const auto work = [&]() -> asio::awaitable<void> {
    outcome.emplace(co_await synchronise(context.get_executor(), progress));
  };
  asio::co_spawn(context, work(), [&](const std::exception_ptr& thrown) {
    signals.cancel();
    if (thrown) std::rethrow_exception(thrown);
  });
  while (!outcome && context.run_one() > 0) {
  }
  progress.clear();
  return outcome;
}

ExitStatus print(const service::SyncOutcome& outcome, const Options& options) {
  Output output;
  for (const service::MailboxOutcome& one : outcome.mailboxes) {
    if (options.format == "json")
      append_line(output, outcome_json(one, options.dry_run));
    else
      append_text(output.text(), one, options.dry_run);
  }
  for (const service::Obstacle& obstacle : outcome.not_ready) {
    if (options.format == "json")
      append_line(output,
                  {{"mailbox", obstacle.address},
                   {"outcome", "not-ready"},
                   {"error",
                    json::object{{"code", obstacle.code}, {"message", obstacle.message}, {"retry", "never"}}},
                   {"endpoint", nullptr},
                   {"serverVersion", nullptr}});
    else
      append_wrapped(output.text(), shown(obstacle.address) + ": ",
                     "not synchronised: " + shown(obstacle.message));
  }
  if (outcome.mailboxes.empty() && outcome.not_ready.empty() && options.format == "text")
    output.text() += "No mailbox is enabled: syncline mailbox list\n";
  return finish(output, status_of_outcome(outcome));
}

/// The runs of a daemon that holds the engine's lock. Null: none listens.
net::Async<std::unique_ptr<service::SyncOutcome>> ask_daemon(net::Environment& environment,
                                                             std::string folder, const Options& options,
                                                             ProgressLine& progress) {
  auto connected = co_await service::connect_to_daemon(environment, std::move(folder));
  if (!connected) co_return fail(std::move(connected.error()));
  if (!*connected) co_return nullptr;
  service::ControlChannel& channel = **connected;
  const json::object request{{"do", "sync"},
                             {"mailboxes", json::array(options.mailboxes.begin(), options.mailboxes.end())},
                             {"once", options.once},
                             {"takeOver", options.take_over}};
  if (auto asked = co_await channel.write(request); !asked) co_return fail(std::move(asked.error()));
  auto outcome = std::make_unique<service::SyncOutcome>();
  for (;;) {
    auto line = co_await channel.read(std::nullopt);
    if (!line) co_return fail(std::move(line.error()));
    if (!*line)
      co_return fail(ErrorDomain::local, "daemon-stopped", "the daemon has ended before the runs had");
    const auto part = [&](const char* name) -> const json::object* {
      const json::value* value = (**line).if_contains(name);
      return value != nullptr ? value->if_object() : nullptr;
    };
    if ((**line).contains("end")) break;
    if (const json::object* error = part("error")) co_return fail(service::error_of(*error));
    if (const json::object* step = part("progress")) {
      const json::value* mailbox = (**line).if_contains("mailbox");
      if (mailbox != nullptr && mailbox->is_string())
        progress.update(std::string(mailbox->get_string()), service::progress_of(*step));
    } else if (const json::object* one = part("outcome")) {
      outcome->mailboxes.push_back(service::outcome_of(*one));
    } else if (const json::object* obstacle = part("notReady")) {
      outcome->not_ready.push_back(service::obstacle_of(*obstacle));
    }
  }
  std::ranges::sort(outcome->mailboxes, {}, &service::MailboxOutcome::address);
  co_return outcome;
}

/// nullopt: whoever holds the lock is no daemon that listens.
std::optional<ExitStatus> run_in_daemon(const std::string& folder, const Options& options) {
  bool is_listening = true;
  auto outcome = drive(
      [&](net::asio::any_io_executor executor, ProgressLine& progress) -> net::Async<service::SyncOutcome> {
        auto system = net::system_environment(executor);
        if (!system) co_return fail(std::move(system.error()));
        auto asked = co_await ask_daemon((*system)->get(), folder, options, progress);
        if (!asked) co_return fail(std::move(asked.error()));
        is_listening = *asked != nullptr;
        if (!is_listening) co_return service::SyncOutcome{};
        co_return std::move(**asked);
      },
      [] { complain("interrupted; the daemon goes on"); });
  if (!outcome) return ExitStatus::interrupted;
  if (!*outcome) return report(outcome->error());
  if (!is_listening) return std::nullopt;
  return print(**outcome, options);
}

/// With the configuration of `options.proposed` in place of its own; nullopt: refused, and said so.
Result<std::optional<std::unique_ptr<service::Organisation>>> propose(service::Organisation& organisation,
                                                                      const service::Configuration& wanted,
                                                                      const std::string& folder,
                                                                      const Globals& globals,
                                                                      const Options& options) {
  const service::Actor actor{options.actor.who.empty() ? current_user() : options.actor.who,
                             options.actor.reason};
  auto proposed = service::propose(organisation, wanted, folder, globals.key, actor);
  if (!proposed) return fail(std::move(proposed.error()));
  if (proposed->organisation) return std::optional(std::move(proposed->organisation));
  for (const service::ApplyRefusal& refusal : proposed->outcome.refusals)
    complain(fmt::format("{}: refused, {}", shown(refusal.address), shown(refusal.message)));
  return std::optional<std::unique_ptr<service::Organisation>>();
}

ExitStatus run(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  std::optional<service::Configuration> wanted;
  if (!options.proposed.empty()) {
    wanted = read_configuration_file(options.proposed);
    if (!wanted) return ExitStatus::bad_input;
  }
  auto organisation = open_organisation(globals, options.dry_run ? OpenFor::reading : OpenFor::writing);
  if (!organisation) return report(organisation.error());
  if (options.take_over && !options.dry_run) {
    service::Actor actor = options.actor;
    if (actor.who.empty()) actor.who = current_user();
    if (auto noted = service::note_take_over(**organisation, options.mailboxes, actor); !noted)
      return report(noted.error());
  }
  std::optional<store::EngineLock> lock;
  std::optional<TemporaryFolder> scratch;
  if (options.dry_run) {
    auto made = TemporaryFolder::make();
    if (!made) return report(made.error());
    scratch.emplace(std::move(*made));
    if (wanted) {
      auto proposed = propose(**organisation, *wanted, scratch->path() + "/proposed", globals, options);
      if (!proposed) return report(proposed.error());
      if (!*proposed) return ExitStatus::refused;
      *organisation = std::move(**proposed);
    }
  } else {
    const std::string folder = (*organisation)->store().folder();
    auto taken = store::EngineLock::take(folder);
    if (!taken && taken.error().code == "engine-running") {
      if (const auto status = run_in_daemon(folder, options)) return *status;
    }
    if (!taken) return report(taken.error());
    lock.emplace(std::move(*taken));
  }
  auto outcome = drive(
      [&](net::asio::any_io_executor executor, ProgressLine& progress) {
        return service::sync_organisation(
            executor, **organisation,
            {.addresses = options.mailboxes,
             .once = options.once,
             .dry_run = options.dry_run,
             .scratch_folder = scratch ? scratch->path() + "/run" : std::string(),
             .take_over = options.take_over,
             .on_progress = [&](const std::string& address, const sync::RunProgress& now) {
               progress.update(address, now);
             }});
      },
      [&] {
        complain(scratch ? "interrupted"
                         : "interrupted; the work that was done is saved, the next run goes on");
        if (scratch) scratch->remove();
      });
  if (!outcome) return ExitStatus::interrupted;
  if (!*outcome) return report(outcome->error());
  return print(**outcome, options);
}

}  // namespace

void add_sync(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("sync", "Bring records and mailboxes in step, once");
  auto options = std::make_shared<Options>();
  command->add_option("--mailbox", options->mailboxes, "Only this mailbox; repeatable")
      ->type_name("ADDRESS")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(1)
      ->allow_extra_args(false);
  command->add_flag("--once", options->once, "One pass: do not wait until a lost write can be settled");
  CLI::Option* dry_run =
      command->add_flag("--dry-run", options->dry_run,
                        "Read, and say what would be written and who would be mailed; change nothing");
  command
      ->add_option(
          "--apply", options->proposed,
          "With --dry-run: as if this file had been applied; mailboxes whose policies it changes are "
          "read from the beginning, so that all it would bring is counted")
      ->type_name("FILE.toml|-")
      ->needs(dry_run);
  command->add_flag("--override", options->take_over,
                    "Take mailboxes over that another organisation synchronises");
  add_format_option(*command, options->format);
  add_actor_options(*command, options->actor.who, options->actor.reason);
  command->callback(
      [options, &action] { action = [options](const Globals& globals) { return run(globals, *options); }; });
}

}  // namespace syncline::cli
