// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/mailbox_engine.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

/// Secrets and sign-ins are in no profile: an act alone tells that they have changed.
bool changes_credentials(const store::AuditEntry& act) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"secret.", "auth.", "key."},
                             [&](std::string_view prefix) { return act.act.starts_with(prefix); });
}

/// "mailbox ana@contoso.example", or that with ": password" behind it.
bool is_about(const store::AuditEntry& act, std::string_view object) {
  if (!act.object.starts_with(object)) return false;
  const std::string_view rest = std::string_view(act.object).substr(object.size());
  return rest.empty() || rest.starts_with(": ");
}

}  // namespace

MailboxEngine::MailboxEngine(net::Environment& environment, Organisation& organisation,
                             std::shared_ptr<Connections> connections, WatchEvents events,
                             WatchSettings settings)
    : organisation_(organisation),
      connections_(std::move(connections)),
      events_(events),
      settings_(settings),
      idle_(environment, events, settings.imap_look_anyway),
      exchange_(environment, std::move(events), settings) {}

Result<void> MailboxEngine::begin() {
  return connect(false);
}

Result<void> MailboxEngine::connect(bool anew) {
  auto loaded = organisation_.load();
  if (!loaded) return fail(std::move(loaded.error()));
  Configuration& configuration = loaded->configuration;
  name_ = configuration.organisation.name;
  const bool is_other =
      configuration.profiles != profiles_ || configuration.organisation.environment != environment_facts_;
  profiles_ = std::move(configuration.profiles);
  environment_facts_ = std::move(configuration.organisation.environment);
  if (anew || (is_other && !mailboxes_.empty())) connections_ = connections_->successor();
  return connections_->require(environment_facts_);
}

Result<void> MailboxEngine::renew(const std::vector<store::AuditEntry>& acts) {
  auto connected = connect(acts.empty() || std::ranges::any_of(acts, changes_credentials));
  refusal_ = connected ? std::nullopt : std::optional(connected.error());
  for (const store::AuditEntry& act : acts) {
    if (!changes_credentials(act)) continue;
    for (const auto& [address, mailbox] : mailboxes_)
      if (is_about(act, "mailbox " + address) || is_about(act, "profile " + mailbox->profile().name)) {
        forget(address);
        events_.changed(address);  // The run with the new ones is watched again.
      }
  }
  return connected;
}

void MailboxEngine::forget(const std::string& address) {
  idle_.forget(address);
  exchange_.forget(address);
}

void MailboxEngine::configured(const std::vector<std::shared_ptr<const EnabledMailbox>>& mailboxes) {
  std::map<std::string, std::shared_ptr<const EnabledMailbox>, std::less<>> now;
  for (const auto& mailbox : mailboxes) now.emplace(mailbox->address(), mailbox);
  for (const auto& [address, before] : mailboxes_) {
    const auto found = now.find(address);
    if (found == now.end() || found->second->profile() != before->profile() ||
        found->second->mailbox() != before->mailbox()) {
      forget(address);
      events_.changed(address);
    }
  }
  mailboxes_ = std::move(now);
}

void MailboxEngine::keep(const EnabledMailbox& mailbox, const std::shared_ptr<Connections>& connections,
                         std::unique_ptr<MailboxConnection>& connection) {
  // The mailbox may have been disabled or changed while it ran.
  const auto known = mailboxes_.find(mailbox.address());
  if (is_stopped_ || known == mailboxes_.end() || known->second->profile() != mailbox.profile() ||
      known->second->mailbox() != mailbox.mailbox())
    return;
  if (connection->imap() != nullptr) {
    if (idle_.size() + exchange_.streams() >= settings_.most_connections) return;
    IdleWatch::Kept kept{.connections = connections, .connection = std::move(connection)};
    if (!idle_.keep(mailbox.address(), kept)) connection = std::move(kept.connection);
    return;
  }
  if (exchange_.knows(mailbox.address())) return;
  if (auto streamable = connection->streamable())
    exchange_.keep({.address = mailbox.address(),
                    .group = streamable->group + " " + mailbox.profile().name,
                    .connections = connections,
                    .environment = &streamable->environment,
                    .http = &streamable->http,
                    .budgets = streamable->client.budgets(),
                    .client = streamable->client.settings()});
}

Async<void> MailboxEngine::run(const EnabledMailbox& mailbox, RunWishes wishes, MailboxOutcome& outcome) {
  if (refusal_) {
    outcome.summary = fail(*refusal_);
    co_return fail(*refusal_);
  }
  const std::string address = mailbox.address();
  auto waited = co_await idle_.take(address);
  if (!waited) co_return fail(std::move(waited.error()));
  const bool was_idle = waited->has_value();
  std::shared_ptr<Connections> connections = connections_;
  if (was_idle) {
    connections = std::move((*waited)->connections);
    wishes.connection = std::move((*waited)->connection);
  }
  bool is_idle = false;
  wishes.keep = [&](std::unique_ptr<MailboxConnection>& connection) {
    keep(mailbox, connections, connection);
    is_idle = connection == nullptr;
  };
  MailboxRunner runner(organisation_, *connections, name_);
  auto ran = co_await runner.run(mailbox, std::move(wishes), outcome);
  if (was_idle && !is_idle) events_.watched(address, std::nullopt);
  co_return ran;
}

Async<void> MailboxEngine::stop() {
  is_stopped_ = true;
  auto idle = co_await idle_.stop();
  auto streams = co_await exchange_.stop();
  co_return idle ? streams : idle;
}

}  // namespace syncline::service
