// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/mailbox_test/mailbox_tester.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "net/cancel.hpp"
#include "net/with_deadline.hpp"
#include "service/mailbox_test/causes.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/organisation.hpp"
#include "store/configuration.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using store::MailboxTestRow;
using store::TestState;
using store::Transaction;

constexpr std::string_view test_alert = "test-failed";

StepFailure refusal_of(const Obstacle& obstacle) {
  StepFailure refused{
      .error = obstacle.code,
      .said = obstacle.message,
      .cause = obstacle.code,
      .cause_text = obstacle.message,
      .remedy = "syncline mailbox show " + obstacle.address + " says what stands in the way."};
  if (const Cause* known = obstacle.code == "missing-secret" ? find_cause("secret-missing") : nullptr) {
    refused.cause = known->id;
    refused.remedy = known->remedy;
  }
  return refused;
}

/// What failed first, in one line.
std::string in_short(const TestReport& report) {
  if (report.refused) return report.refused->cause_text;
  for (const TestStep& step : report.steps)
    if (step.failure)
      return std::string(to_string(step.leg)) + ", " + std::string(to_string(step.name)) + ": " +
             step.failure->cause_text + " " + step.failure->said;
  return {};
}

std::string remedy_in(const TestReport& report) {
  if (report.refused) return report.refused->remedy;
  for (const TestStep& step : report.steps)
    if (step.failure) return step.failure->remedy;
  return {};
}

}  // namespace

MailboxTester::MailboxTester(net::asio::any_io_executor executor, net::Environment& environment,
                             Organisation& organisation, std::string runner, MailboxTesterSettings settings,
                             OnProgress on_progress)
    : executor_(std::move(executor)),
      environment_(environment),
      organisation_(organisation),
      runner_(std::move(runner)),
      settings_(std::move(settings)),
      on_progress_(std::move(on_progress)),
      changed_(executor_) {}

Async<void> MailboxTester::run_all() {
  co_return co_await work(true);
}

Async<void> MailboxTester::serve() {
  // What was at work when an earlier process ended begins again.
  auto queued = organisation_.store().write<void>(
      [&](Transaction& transaction) { return store::requeue_mailbox_tests(transaction, runner_); });
  if (!queued) co_return fail(std::move(queued.error()));
  co_return co_await work(false);
}

void MailboxTester::stop(bool cut) {
  is_stopping_ = true;
  is_cut_ = is_cut_ || cut;
  if (cut)
    for (const Cancel& signal : running_) net::emit_cancellation(executor_, *signal, signal);
  changed_.notify_all();
}

/// Under the organisation's present terms. What was learned of service accounts is forgotten: somebody may
/// have set another password since.
Result<void> MailboxTester::connect_anew() {
  auto loaded = organisation_.load();
  if (!loaded) return fail(std::move(loaded.error()));
  auto connections =
      settings_.beside ? settings_.beside()->successor() : std::make_shared<Connections>(executor_);
  if (auto met = connections->require(loaded->configuration.organisation.environment); !met) return met;
  connections_ = std::move(connections);
  return {};
}

Async<void> MailboxTester::work(bool until_empty) {
  while (!trouble_) {
    std::optional<SystemTime> next;
    while (!is_stopping_ && running_.size() < settings_.at_once) {
      // Most looks find nothing: no write for those.
      auto due = organisation_.store().read<std::optional<SystemTime>>(
          [&](Transaction& transaction) { return store::next_mailbox_test_due(transaction, runner_); });
      if (!due) co_return fail(std::move(due.error()));
      next = *due;
      if (!next || *next > organisation_.clock().now()) break;
      auto row = organisation_.store().write<std::optional<MailboxTestRow>>(
          [&](Transaction& transaction) { return store::take_due_mailbox_test(transaction, runner_); });
      if (!row) co_return fail(std::move(row.error()));
      if (!*row) continue;
      if (running_.empty() || !connections_)
        if (auto anew = connect_anew(); !anew) co_return anew;
      begin(std::move(**row));
    }
    if (running_.empty() && (is_stopping_ || (until_empty && !next))) break;
    const SteadyTime look = environment_.clock.steady_now() + settings_.look_pause;
    auto waiting = changed_.wait();
    Error late;
    static_cast<void>(
        co_await net::with_deadline(environment_.timers, look, std::move(waiting), std::move(late)));
  }
  while (!running_.empty())
    if (auto woken = co_await changed_.wait(); !woken) break;
  if (trouble_) co_return fail(std::move(*trouble_));
  co_return Result<void>{};
}

void MailboxTester::begin(MailboxTestRow row) {
  const auto signal = std::make_shared<net::asio::cancellation_signal>();
  running_.insert(signal);
  net::asio::co_spawn(
      executor_, test(std::move(row)),
      net::asio::bind_cancellation_slot(signal->slot(), [this, signal](const std::exception_ptr& thrown) {
        running_.erase(signal);
        changed_.notify_all();
        if (thrown && !is_cut_) std::rethrow_exception(thrown);
      }));
}

net::asio::awaitable<void> MailboxTester::test(MailboxTestRow row) {
  TesterProgress progress;
  progress.attempt = row.attempts;
  const Result<void> done = co_await test_one(row, progress);
  if (!done) trouble_ = done.error();
}

Async<void> MailboxTester::test_one(MailboxTestRow& row, TesterProgress& progress) {
  auto stored = organisation_.load();
  if (!stored) co_return fail(std::move(stored.error()));
  for (const auto& [address, standing] : stored->mailboxes)
    if (standing.id == row.mailbox) progress.address = address;
  if (progress.address.empty()) co_return Result<void>{};  // removed meanwhile, and its test with it
  const std::shared_ptr<Connections> connections = connections_;
  auto admitted = MailboxGate(*stored, organisation_.today()).admit_for_test(progress.address);
  if (!admitted) {
    progress.report.refused = refusal_of(admitted.error());
    progress.report.ended_at = organisation_.clock().now();
  } else {
    OnTestStep on_step = [&](const TestReport& report) {
      progress.report = report;
      if (auto kept = keep_progress(row.mailbox, report); !kept && !trouble_) trouble_ = kept.error();
      if (on_progress_) on_progress_(progress);
    };
    auto report =
        co_await test_mailbox(organisation_, *connections, *admitted, settings_.test, std::move(on_step));
    if (!report) co_return fail(std::move(report.error()));
    progress.report = std::move(*report);
    // A test that was cut off says nothing of the mailbox.
    if (is_cut_) co_return Result<void>{};
  }
  co_return finish(row, progress);
}

/// The step list so far, for whoever looks at it meanwhile. Not over what somebody has asked for since.
Result<void> MailboxTester::keep_progress(store::MailboxId mailbox, const TestReport& report) {
  return organisation_.store().write<void>([&](Transaction& transaction) -> Result<void> {
    auto present = store::find_mailbox_test(transaction, mailbox);
    if (!present) return fail(std::move(present.error()));
    if (!*present || (*present)->state != TestState::running) return {};
    (*present)->report = json::serialize(to_json(report));
    return store::put_mailbox_test(transaction, **present);
  });
}

Result<void> MailboxTester::finish(MailboxTestRow& row, TesterProgress& progress) {
  const TestReport& report = progress.report;
  const SystemTime now = organisation_.clock().now();
  row.ended_at = now;
  row.report = json::serialize(to_json(report));
  row.state = report.failed() ? TestState::failure : TestState::success;
  row.due_at = std::nullopt;
  if (report.failed() && report.may_pass() && row.attempts < settings_.attempts && !is_stopping_) {
    std::chrono::milliseconds pause = settings_.first_pause;
    for (int i = 1; i < row.attempts && pause < settings_.longest_pause; ++i) pause *= 2;
    pause = std::min(pause, settings_.longest_pause);
    if (const auto hint = report.retry_after()) pause = std::max(pause, *hint);
    row.due_at = now + pause;
    row.state = TestState::waiting;
  }
  bool is_wanted = false;
  auto written = organisation_.store().write<void>([&](Transaction& transaction) -> Result<void> {
    // Somebody may have asked for another test, or taken the mailbox out, meanwhile.
    auto present = store::find_mailbox_test(transaction, row.mailbox);
    if (!present) return fail(std::move(present.error()));
    is_wanted = *present && (*present)->state == TestState::running;
    if (!is_wanted) return {};
    if (auto put = store::put_mailbox_test(transaction, row); !put) return put;
    if (row.state == TestState::success) return store::clear_alert(transaction, row.mailbox, test_alert);
    if (row.state != TestState::failure) return {};
    return store::raise_alert(transaction,
                              {.mailbox = row.mailbox,
                               .level = store::AlertLevel::warning,
                               .code = std::string(test_alert),
                               .text = progress.address + " has not passed its test: " + in_short(report),
                               .remedy = remedy_in(report)});
  });
  if (!written) return written;
  if (is_wanted && row.state == TestState::success && row.enable) {
    auto enabled = administer(organisation_, MailboxAct::enable, {progress.address},
                              {.who = row.requested_by, .reason = row.reason});
    if (!enabled) return fail(std::move(enabled.error()));
    const MailboxActOutcome& outcome = enabled->front();
    progress.enabled = !outcome.obstacle;
    if (outcome.obstacle) {
      // Between the test and now an administrator has taken something back.
      progress.report.refused = refusal_of(*outcome.obstacle);
      row.state = TestState::failure;
      row.report = json::serialize(to_json(progress.report));
      auto noted = organisation_.store().write<void>(
          [&](Transaction& transaction) { return store::put_mailbox_test(transaction, row); });
      if (!noted) return noted;
    }
  }
  progress.state = row.state;
  progress.next_try = row.due_at;
  if (on_progress_) on_progress_(progress);
  return {};
}

}  // namespace syncline::service
