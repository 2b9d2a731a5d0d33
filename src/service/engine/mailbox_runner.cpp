// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/mailbox_runner.hpp"

#include "ews/autodiscover/cache.hpp"
#include "service/engine/dry_run.hpp"
#include "service/engine/mailbox_connection.hpp"
#include "service/engine/mailbox_state.hpp"
#include "service/organisation/organisation.hpp"
#include "service/organisation/stored.hpp"
#include "sync/mailbox_run.hpp"

namespace syncline::service {
namespace {

sync::MailboxSettings settings_of(const EnabledMailbox& mailbox, const std::string& organisation_name) {
  sync::MailboxSettings settings;
  settings.mailbox = mailbox.id();
  settings.address = mailbox.address();
  settings.owner = mailbox.mailbox().record_owner();
  settings.kind = mailbox.mailbox().kind;
  settings.owner_of_mailbox = enabled_mailbox_owner;
  settings.mail_in = mailbox.route().incoming.has_value();
  settings.mail_out = mailbox.route().outgoing.has_value();
  settings.appointments_contacts_tasks = mailbox.route().act.has_value();
  settings.tracked_folders = mailbox.mailbox().folders;
  settings.policies = mailbox.policies();
  if (const auto remove = mailbox.mailbox().delete_after_processing)
    settings.policies.mail.delete_after_processing = *remove;
  // Among the public folders there is none where new items of a kind go.
  if (mailbox.mailbox().store == model::FolderStore::public_folders)
    for (auto* filters : {&settings.policies.sync.send_appointments, &settings.policies.sync.send_contacts,
                          &settings.policies.sync.send_tasks})
      filters->clear();
  settings.organisation_name = organisation_name;
  settings.take_over = mailbox.mailbox().override_primary.value_or(false);
  return settings;
}

}  // namespace

Async<void> MailboxRunner::run(const EnabledMailbox& mailbox, RunWishes wishes, MailboxOutcome& outcome) {
  const SystemTime started_at = organisation_.clock().now();
  outcome.summary = co_await connect_and_run(mailbox, wishes, outcome);
  if (!outcome.summary && outcome.summary.error().domain == ErrorDomain::local)
    co_return fail(outcome.summary.error());
  if (wishes.dry_run) co_return Result<void>{};
  if (!outcome.summary && ews::autodiscover::drops_discovery(outcome.summary.error()))
    if (auto forgotten = forget_endpoint(organisation_, mailbox.address()); !forgotten) co_return forgotten;
  co_return remember_run(organisation_, mailbox.id(), started_at, outcome.summary);
}

Async<sync::MailboxSummary> MailboxRunner::connect_and_run(const EnabledMailbox& mailbox, RunWishes& wishes,
                                                           MailboxOutcome& outcome) {
  const bool remember = !wishes.dry_run.has_value();
  std::unique_ptr<MailboxConnection> connected = std::move(wishes.connection);
  if (!connected) {
    auto made = co_await connect_mailbox(organisation_, connections_, mailbox, remember);
    if (!made) co_return fail(std::move(made.error()));
    connected = std::move(*made);
  }
  MailboxConnection& connection = *connected;
  const std::uint64_t requests_before = connection.driver().requests();
  outcome.endpoint = connection.endpoint();
  sync::MailboxSettings settings = settings_of(mailbox, organisation_name_);
  settings.take_over = settings.take_over || wishes.take_over;
  sync::RunOptions options;
  options.settle = wishes.settle && !wishes.dry_run;
  options.name = wishes.name;
  options.on_progress = [&connection, &wishes](const sync::RunProgress& progress) {
    connection.answered();
    if (wishes.on_progress) wishes.on_progress(progress);
  };
  options.on_failure = [&outcome, requests_before](const sync::MailboxSummary& done) {
    outcome.before_error = done;
    outcome.before_error.requests -= requests_before;
  };
  auto network = connections_.network_of(mailbox.profile());
  if (!network) co_return fail(std::move(network.error()));
  net::Environment& world = (*network)->environment();
  // Exchange is asked in few large requests: beside those a commit takes no time, while two threads cost a
  // fifth more of the CPU (tests/bench).
  const auto& incoming = mailbox.route().incoming;
  const bool reads_ahead = incoming && incoming->driver != router::Driver::ews;
  sync::Surroundings surroundings{
      .clock = organisation_.clock(),
      .random = organisation_.random(),
      .sleep = [&world](std::chrono::milliseconds span) -> Async<void> {
        co_return co_await world.timers.sleep_until(world.clock.steady_now() + span);
      },
      .aside = {}};
  if (reads_ahead) surroundings.aside = connections_.aside();
  Result<sync::MailboxSummary> summary = fail(ErrorDomain::local, "not-run", "");
  if (wishes.dry_run) {
    DryRunDriver driver(connection.driver(), [&connection](std::string organisation_id, bool take_over) {
      return connection.look_at_claim(std::move(organisation_id), take_over);
    });
    settings.policies.mail.keep_mime = false;
    summary = co_await sync::run_mailbox(surroundings, wishes.dry_run->store, wishes.dry_run->content, driver,
                                         settings, options);
    outcome.would_write = driver.orders();
  } else {
    auto content = organisation_.content();
    if (!content) co_return fail(std::move(content.error()));
    summary = co_await sync::run_mailbox(surroundings, organisation_.store(), **content, connection.driver(),
                                         settings, options);
  }
  if (summary) summary->requests -= requests_before;
  connection.ended(summary);
  outcome.server_version = connection.server_version();
  if (summary && wishes.keep) {
    static_cast<void>(co_await connection.rest());
    wishes.keep(connected);
    if (!connected) co_return summary;
  }
  // What was done is done; a server that does not say goodbye changes nothing of it.
  static_cast<void>(co_await connection.close());
  co_return summary;
}

}  // namespace syncline::service
