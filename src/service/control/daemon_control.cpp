// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/control/daemon_control.hpp"

#include <boost/json/array.hpp>
#include <utility>

#include "base/text.hpp"
#include "net/with_deadline.hpp"
#include "service/control/outcome_lines.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

constexpr std::size_t most_addresses = 100'000;
/// The daemon reads what administrators did once a second.
constexpr std::chrono::seconds until_known{5};
constexpr std::chrono::milliseconds look_pause{250};

bool flag(const json::object& request, const char* name) {
  const json::value* value = request.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::object refused(const Error& error) {
  return {{"error", to_line(error)}};
}

std::string_view state_of(const MailboxTurn& turn) {
  if (turn.is_running) return "running";
  if (turn.waits_for_server) return "waiting-for-server";
  return turn.is_failing ? "failing" : "waiting";
}

}  // namespace

json::object DaemonControl::status() const {
  const SteadyTime now = environment_.clock.steady_now();
  json::array mailboxes;
  for (const MailboxTurn& turn : daemon_.turns())
    mailboxes.push_back(json::object{
        {"mailbox", turn.address},
        {"by", turn.is_pushed ? "push" : "poll"},
        {"sinceMs", std::chrono::duration_cast<std::chrono::milliseconds>(now - turn.watched_since).count()},
        {"state", state_of(turn)}});
  return {{"mailboxes", std::move(mailboxes)}, {"servers", servers_()}};
}

Async<void> DaemonControl::handle(json::object request, ControlChannel& channel) {
  const json::value* what = request.if_contains("do");
  if (what != nullptr && *what == json::value("status")) {
    const json::object said = status();
    co_return co_await channel.write(said);
  }
  if (what != nullptr && *what == json::value("sync")) co_return co_await sync(request, channel);
  const json::object answer = refused({.domain = ErrorDomain::input, .code = "unknown-request"});
  co_return co_await channel.write(answer);
}

Async<void> DaemonControl::sync(const json::object& request, ControlChannel& channel) {
  std::vector<std::string> addresses;
  if (const json::value* asked = request.if_contains("mailboxes"); asked != nullptr && asked->is_array())
    for (const json::value& one : asked->get_array())
      if (one.is_string() && addresses.size() < most_addresses)
        addresses.push_back(text::to_lower_ascii(std::string_view(one.get_string())));
  auto enabled = enabled_mailboxes(organisation_, addresses);
  if (!enabled) {
    const json::object answer = refused(enabled.error());
    co_return co_await channel.write(answer);
  }
  for (const Obstacle& obstacle : enabled->not_ready)
    if (obstacle.code == "no-mailbox") {
      const json::object answer = refused({.domain = ErrorDomain::input,
                                           .code = obstacle.code,
                                           .message = "There is no mailbox " + obstacle.address});
      co_return co_await channel.write(answer);
    }
  for (const Obstacle& obstacle : enabled->not_ready) {
    const json::object line{{"notReady", to_line(obstacle)}};
    if (auto told = co_await channel.write(line); !told) co_return told;
  }
  const auto asker = std::make_shared<Asker>(environment_.executor);
  asker->wishes.settle = !flag(request, "once");
  asker->wishes.take_over = flag(request, "takeOver");
  for (const EnabledMailbox& mailbox : enabled->ready) asker->pending.emplace(mailbox.address(), false);
  const auto place = askers_.insert(askers_.end(), asker);
  auto followed = co_await follow(*asker, channel);
  askers_.erase(place);
  if (!followed) co_return followed;
  const json::object end{{"end", true}};
  co_return co_await channel.write(end);
}

Async<void> DaemonControl::follow(Asker& asker, ControlChannel& channel) {
  const SteadyTime known_by = environment_.clock.steady_now() + until_known;
  std::vector<std::string> unknown;
  for (const auto& [address, _] : asker.pending) unknown.push_back(address);
  while (!asker.pending.empty() || !asker.outcomes.empty()) {
    const SteadyTime now = environment_.clock.steady_now();
    // One that was enabled a moment ago comes to the daemon's knowledge.
    std::erase_if(unknown, [&](const std::string& address) { return daemon_.demand(address); });
    if (now >= known_by || daemon_.is_stopping()) {
      unknown.clear();
      give_up_on_the_gone(asker);
    }
    for (const auto& [address, progress] : std::exchange(asker.progress, {})) {
      const json::object line{{"mailbox", address}, {"progress", to_line(progress)}};
      if (auto told = co_await channel.write(line); !told) co_return told;
    }
    for (const MailboxOutcome& outcome : std::exchange(asker.outcomes, {})) {
      const json::object line{{"outcome", to_line(outcome)}};
      if (auto told = co_await channel.write(line); !told) co_return told;
    }
    if (asker.pending.empty()) continue;
    const Error passed{.domain = ErrorDomain::local, .code = "passed"};
    auto changed = asker.changed.wait();
    auto waited =
        co_await net::with_deadline(environment_.timers, now + look_pause, std::move(changed), passed);
    if (!waited && waited.error().code != passed.code) co_return waited;
  }
  co_return Result<void>{};
}

/// Whoever was disabled while somebody waited for him will not run; nor will anybody any more when the daemon
/// ends.
void DaemonControl::give_up_on_the_gone(Asker& asker) {
  for (auto at = asker.pending.begin(); at != asker.pending.end();) {
    const bool is_begun = at->second;
    if (is_begun || (!daemon_.is_stopping() && daemon_.knows(at->first))) {
      ++at;
      continue;
    }
    const bool stops = daemon_.is_stopping();
    asker.outcomes.push_back(
        {.address = at->first,
         .summary = stops ? fail(ErrorDomain::local, "daemon-stops", "the daemon was stopped")
                          : fail(ErrorDomain::input, "not-enabled", "the mailbox is not served any more")});
    at = asker.pending.erase(at);
  }
}

RunWishes DaemonControl::wishes(const std::string& address) {
  RunWishes wishes{.settle = false};
  std::vector<std::weak_ptr<Asker>> listeners;
  for (const std::shared_ptr<Asker>& asker : askers_) {
    const auto pending = asker->pending.find(address);
    if (pending == asker->pending.end() || pending->second) continue;
    pending->second = true;
    wishes.settle = wishes.settle || asker->wishes.settle;
    wishes.take_over = wishes.take_over || asker->wishes.take_over;
    listeners.push_back(asker);
  }
  if (!listeners.empty())
    wishes.on_progress = [address, listeners = std::move(listeners)](const sync::RunProgress& progress) {
      for (const auto& listener : listeners)
        if (const auto asker = listener.lock()) {
          asker->progress[address] = progress;
          asker->changed.notify_all();
        }
    };
  return wishes;
}

void DaemonControl::finished(const MailboxOutcome& outcome) {
  for (const std::shared_ptr<Asker>& asker : askers_) {
    const auto pending = asker->pending.find(outcome.address);
    if (pending == asker->pending.end() || !pending->second) continue;
    asker->pending.erase(pending);
    asker->progress.erase(outcome.address);
    asker->outcomes.push_back(outcome);
    asker->changed.notify_all();
  }
}

}  // namespace syncline::service
