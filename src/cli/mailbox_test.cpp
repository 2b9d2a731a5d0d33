// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline mailbox test`: everything that synchronising a mailbox needs is tried, step by step; with
// --enable who passes is enabled.
#include "cli/mailbox_test.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/array.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "cli/layout.hpp"
#include "cli/mailbox_choice.hpp"
#include "service/mailbox_test/mailbox_tester.hpp"
#include "service/views/mailbox_test_json.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

namespace asio = net::asio;
namespace json = boost::json;

struct Options {
  MailboxChoice choice;
  service::Actor actor;
  std::string format;
  bool enable = false;
  bool background = false;
  std::size_t at_once = 4;
  int attempts = 3;
  int step_seconds = 60;
  int arrival_seconds = 90;
};

/// One line on a terminal; nothing in a pipe.
class TestLine {
 public:
  TestLine() : shown_(isatty(STDERR_FILENO) != 0) {}
  ~TestLine() { clear(); }
  void update(const service::TesterProgress& progress) {
    if (!shown_) return;
    std::string doing;
    for (const service::TestStep& step : progress.report.steps)
      if (step.state == service::StepState::running)
        doing = fmt::format("{}, {}", to_string(step.leg), to_string(step.name));
    std::string line = fmt::format("{}: {}", shown(progress.address), doing);
    if (display_width(line) > kColumns - 1) line = doing;
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

std::string_view text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

void append_failure(std::string& out, const json::value* failure) {
  if (failure == nullptr || !failure->is_object()) return;
  const json::object& told = failure->get_object();
  append_wrapped(out, "      ", shown(text_in(told, "text")));
  if (const std::string_view said = text_in(told, "said"); !said.empty() && said != text_in(told, "text"))
    append_wrapped(out, "      said: ", shown(said));
  append_wrapped(out, "      → ", shown(text_in(told, "remedy")));
}

const json::object* report_in(const json::object& test) {
  const json::value* report = test.if_contains("report");
  return report == nullptr ? nullptr : report->if_object();
}

/// Whether all that failed is that no server could be reached.
bool is_unreachable(const json::object& test) {
  const json::object* report = report_in(test);
  const json::value* steps = report == nullptr ? nullptr : report->if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return false;
  bool any = false;
  for (const json::value& step : steps->get_array()) {
    const json::value* failure = step.is_object() ? step.get_object().if_contains("failure") : nullptr;
    if (failure == nullptr || !failure->is_object()) continue;
    const std::string_view cause = text_in(failure->get_object(), "cause");
    any = true;
    if (cause != "name-not-found" && cause != "dns-unreachable" && cause != "connection-refused" &&
        cause != "no-answer")
      return false;
  }
  return any;
}

struct Outcome {
  std::map<std::string, json::object> tests = {};  ///< by address
  std::map<std::string, bool> enabled = {};
};

/// Those that were asked for, as they stand in the store now.
Result<Outcome> look_up(service::Organisation& organisation, const std::vector<std::string>& addresses) {
  auto stored = organisation.load();
  if (!stored) return fail(std::move(stored.error()));
  auto tests = organisation.store().read<std::map<store::MailboxId, json::object>>(
      [](store::Transaction& transaction) { return service::latest_tests(transaction); });
  if (!tests) return fail(std::move(tests.error()));
  Outcome outcome;
  for (const std::string& address : addresses) {
    const auto standing = stored->mailboxes.find(address);
    if (standing == stored->mailboxes.end()) continue;
    outcome.enabled[address] = standing->second.enabled;
    if (const auto test = tests->find(standing->second.id); test != tests->end())
      outcome.tests.emplace(address, std::move(test->second));
  }
  return outcome;
}

ExitStatus print(const Options& options, const std::vector<std::string>& addresses,
                 const std::vector<service::Obstacle>& refused, const Outcome& outcome) {
  Output output;
  bool failed = !refused.empty();
  bool reached = !refused.empty();
  for (const std::string& address : addresses) {
    const auto obstacle = std::find_if(refused.begin(), refused.end(),
                                       [&](const service::Obstacle& one) { return one.address == address; });
    if (obstacle != refused.end()) {
      if (options.format == "json")
        append_line(output,
                    {{"mailbox", address},
                     {"enabled", outcome.enabled.contains(address) && outcome.enabled.at(address)},
                     {"obstacle", json::object{{"code", obstacle->code}, {"message", obstacle->message}}},
                     {"test", nullptr}});
      else
        append_wrapped(output.text(), shown(address) + ": ", "not tested: " + shown(obstacle->message));
      continue;
    }
    const auto test = outcome.tests.find(address);
    if (test == outcome.tests.end()) continue;
    const std::string_view state = text_in(test->second, "state");
    const bool enabled = outcome.enabled.at(address);
    failed = failed || state == "failure";
    reached = reached || state != "failure" || !is_unreachable(test->second);
    if (options.format == "json") {
      append_line(
          output,
          {{"mailbox", address}, {"enabled", enabled}, {"obstacle", nullptr}, {"test", test->second}});
      continue;
    }
    std::string_view what = state == "success"   ? (enabled ? "passed; enabled" : "passed")
                            : state == "failure" ? "not passed"
                                                 : "waits to be tested in the background";
    output.text() += fmt::format("{}: {}\n", shown(address), what);
    if (!options.background) append_test_text(output.text(), test->second);
    output.flush(false);
  }
  if (!failed) return finish(output, ExitStatus::done);
  return finish(output, reached ? ExitStatus::refused : ExitStatus::unreachable);
}

ExitStatus run(const Globals& globals, const Options& options) {
  vault::forbid_memory_dumps();
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto stored = (*organisation)->load();
  if (!stored) return report(stored.error());
  auto addresses = chosen_mailboxes(options.choice, *stored);
  if (!addresses) return report(addresses.error());
  service::Actor actor = options.actor;
  if (actor.who.empty()) actor.who = current_user();
  const std::string runner =
      options.background ? std::string(service::background_tester) : "process " + std::to_string(getpid());
  auto refused = service::request_tests(
      **organisation, {.addresses = *addresses, .enable = options.enable, .runner = runner}, actor);
  if (!refused) return report(refused.error());

  if (!options.background) {
    asio::io_context context;
    auto system = net::system_environment(context.get_executor());
    if (!system) return report(system.error());
    TestLine line;
    service::MailboxTesterSettings settings{
        .at_once = options.at_once, .attempts = options.attempts, .first_pause = std::chrono::seconds(2)};
    settings.test.step_time = std::chrono::seconds(options.step_seconds);
    settings.test.arrival_time = std::chrono::seconds(options.arrival_seconds);
    service::MailboxTester tester(context.get_executor(), (*system)->get(), **organisation, runner, settings,
                                  [&](const service::TesterProgress& progress) { line.update(progress); });
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& failure, int) {
      if (failure) return;
      line.clear();
      complain("interrupted; what was tested is kept");
      std::fflush(nullptr);
      std::_Exit(static_cast<int>(ExitStatus::interrupted));
    });
    std::optional<Result<void>> ended;
    asio::co_spawn(context, tester.run_all(), [&](const std::exception_ptr& thrown, Result<void> result) {
      signals.cancel();
      if (thrown) std::rethrow_exception(thrown);
      ended = std::move(result);
    });
    while (!ended && context.run_one() > 0) {
    }
    line.clear();
    if (!ended) return ExitStatus::interrupted;
    if (!*ended) return report(ended->error());
  }
  auto outcome = look_up(**organisation, *addresses);
  if (!outcome) return report(outcome.error());
  return print(options, *addresses, *refused, *outcome);
}

}  // namespace

void append_test_text(std::string& out, const json::object& test) {
  const json::object* report = report_in(test);
  if (report == nullptr) return;
  append_failure(out, report->if_contains("refused"));
  const json::value* steps = report->if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return;
  for (const json::value& value : steps->get_array()) {
    if (!value.is_object()) continue;
    const json::object& step = value.get_object();
    const std::string head =
        fmt::format("  {} {} {} ", padded(text_in(step, "leg"), 8), padded(text_in(step, "step"), 14),
                    padded(text_in(step, "state"), 7));
    append_wrapped(out, head, shown(text_in(step, "detail")));
    append_failure(out, step.if_contains("failure"));
  }
}

void add_mailbox_test(CLI::App& mailbox, Action& action) {
  CLI::App* command = mailbox.add_subcommand(
      "test", "Try everything that synchronising mailboxes needs; with --enable, enable who passes");
  auto options = std::make_shared<Options>();
  add_mailbox_choice(*command, options->choice, true);
  command->add_flag("--enable", options->enable, "Enable each mailbox that passes");
  command->add_flag("--background", options->background, "Leave the tests to a running `syncline serve`");
  command->add_option("--at-once", options->at_once, "Mailboxes that are tested at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--attempts", options->attempts, "How often what may pass by itself is tried")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--step-time", options->step_seconds, "The longest wait in a step, in seconds")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS")
      ->capture_default_str();
  command
      ->add_option("--arrival-time", options->arrival_seconds,
                   "The longest wait for the test message, in seconds")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS")
      ->capture_default_str();
  add_format_option(*command, options->format);
  add_actor_options(*command, options->actor.who, options->actor.reason);
  command->footer(
      "Mailboxes have to be approved and accepted by the rules, not enabled. The test sends one message\n"
      "from each mailbox to itself and makes an appointment, a contact and a task, private and marked as\n"
      "ours; all of it is removed again.\n"
      "Exit: 0 all passed, 1 one did not, 2 no such mailbox or profile, 3 no server could be reached.");
  command->callback([options, &action] {
    check_mailbox_choice(options->choice, "mailbox test", true);
    action = [options](const Globals& globals) { return run(globals, *options); };
  });
}

}  // namespace syncline::cli
