// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/daemon/schedule.hpp"

#include <algorithm>
#include <utility>

namespace syncline::service {

using std::chrono::milliseconds;

bool is_outage(const Error& error) noexcept {
  // A proxy whose server is gone takes connections and cuts them.
  return error.domain == ErrorDomain::net || error.code == "unreachable" || error.code == "dns-failed" ||
         error.code == "connection-lost" || error.code == "stale-connection" || error.http_status == 502 || error.http_status == 503 || error.http_status == 504;
}

bool is_refusal(const Error& error) noexcept {
  return error.http_status == 401 ||
         (error.domain == ErrorDomain::auth && error.retry == RetryClass::reauthenticate);
}

milliseconds Schedule::spread(milliseconds span) {
  const auto width = static_cast<std::uint64_t>(span.count()) * settings_.spread_percent / 100;
  return span - milliseconds(width) + milliseconds(random_.below(2 * width + 1));
}

milliseconds Schedule::doubled(milliseconds first, milliseconds most, unsigned times) {
  milliseconds span = first;
  for (unsigned i = 0; i < times && span < most; ++i) span *= 2;
  return spread(std::min(span, most));
}

milliseconds Schedule::by_chance(milliseconds most) {
  return milliseconds(random_.below(static_cast<std::uint64_t>(most.count()) + 1));
}

milliseconds Schedule::rest_of(const Turn& turn) {
  return spread(turn.look_anyway ? std::max(turn.interval, *turn.look_anyway) : turn.interval);
}

void Schedule::set_due(Turns::iterator at, SteadyTime due) {
  Turn& turn = at->second;
  Server& server = servers_.find(turn.server)->second;
  if (!turn.is_running) server.waiting.erase({turn.due, at->first});
  turn.due = due;
  if (!turn.is_running) server.waiting.emplace(due, at->first);
}

/// Its place among those of its server.
void Schedule::leave(const Turn& turn) {
  const auto server = servers_.find(turn.server);
  if (--server->second.mailboxes == 0) servers_.erase(server);
}

void Schedule::put(const std::string& address, Pace pace, milliseconds first_within, SteadyTime now,
                   std::optional<SteadyTime> last_success) {
  const auto [at, is_new] = turns_.try_emplace(address);
  Turn& turn = at->second;
  const bool moves = is_new || turn.server != pace.server;
  if (!is_new && moves) {
    Server& old = servers_.find(turn.server)->second;
    if (turn.is_running) {
      // What it finds out is said of its new server.
      --old.running;
      old.is_probing = false;
    } else {
      old.waiting.erase({turn.due, at->first});
    }
    leave(turn);
  }
  Server& server = servers_[pace.server];
  server.at_once = std::max<std::size_t>(1, pace.at_once);
  server.shares_account = pace.shares_account;
  turn.is_removed = false;
  turn.server = std::move(pace.server);
  turn.interval = pace.interval;
  if (!moves) return;
  ++server.mailboxes;
  if (is_new) {
    turn.due = now + by_chance(first_within);
    turn.watched_since = now;
    turn.last_success = last_success;
  }
  if (turn.is_running)
    ++server.running;
  else
    server.waiting.emplace(turn.due, at->first);
}

void Schedule::remove(std::string_view address) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  demanded_.erase(at->first);
  if (at->second.is_running) {
    at->second.is_removed = true;
    return;
  }
  servers_.find(at->second.server)->second.waiting.erase({at->second.due, at->first});
  leave(at->second);
  turns_.erase(at);
}

std::vector<MailboxTurn> Schedule::turns() const {
  std::vector<MailboxTurn> all;
  all.reserve(turns_.size());
  for (const auto& [address, turn] : turns_) {
    const Server& server = servers_.find(turn.server)->second;
    all.push_back(
        {.address = address,
         .server = turn.server,
         .due = turn.due,
         .is_running = turn.is_running,
         .is_failing = turn.failures != 0,
         .waits_for_server = !turn.is_running && server.is_open,
         .is_pushed = turn.look_anyway.has_value(),
         .watched_since = turn.watched_since,
         .failures_in_a_row = turn.failures,
         .last_success = turn.last_success,
         .has_run = turn.has_run,
         .failing_since = turn.failing_since,
         .server_out_since = server.is_open ? std::optional<SteadyTime>(server.out_since) : std::nullopt});
  }
  return all;
}

void Schedule::wake(std::string_view address, SteadyTime now) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  Turn& turn = at->second;
  if (turn.is_running)
    turn.is_woken = true;
  else if (turn.failures == 0)
    set_due(at, std::min(turn.due, std::max(now, turn.began + settings_.between_runs)));
}

void Schedule::watched(std::string_view address, std::optional<milliseconds> look_anyway, SteadyTime now) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  Turn& turn = at->second;
  if (turn.look_anyway.has_value() != look_anyway.has_value()) turn.watched_since = now;
  turn.look_anyway = look_anyway;
  if (turn.is_running || turn.failures != 0) return;
  const SteadyTime due = now + rest_of(turn);
  if (!look_anyway)
    set_due(at, std::min(turn.due, due));
  else if (turn.due > now)  // who is due already keeps its place in the line
    set_due(at, std::max(turn.due, due));
}

bool Schedule::demand(std::string_view address, SteadyTime now) {
  const auto at = turns_.find(address);
  if (at == turns_.end() || at->second.is_removed) return false;
  at->second.is_demanded = true;
  if (at->second.is_running)
    at->second.is_woken = true;
  else
    set_due(at, std::min(at->second.due, now));
  demanded_.insert(at->first);
  return true;
}

void Schedule::retry(std::string_view address, SteadyTime now) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  at->second.failures = 0;
  wake(address, now);
}

bool Schedule::has_room(const Server& server) const {
  const std::size_t share =
      servers_.size() > 1 ? settings_.at_once - settings_.at_once / 4 : settings_.at_once;
  return server.running < std::min(server.at_once, share);
}

std::optional<SteadyTime> Schedule::ready_at(const Server& server) const {
  if (server.waiting.empty() || !has_room(server)) return std::nullopt;
  const SteadyTime due = server.waiting.begin()->first;
  if (!server.is_open) return due;
  if (server.is_probing) return std::nullopt;
  return std::max(due, server.probe_at);
}

std::string Schedule::begin(Turns::iterator at, SteadyTime now) {
  Turn& turn = at->second;
  Server& server = servers_.find(turn.server)->second;
  server.waiting.erase({turn.due, at->first});
  ++server.running;
  if (server.is_open) server.is_probing = true;
  demanded_.erase(at->first);
  turn.is_running = true;
  turn.is_woken = false;
  turn.is_demanded = false;
  turn.began = now;
  return at->first;
}

std::optional<std::string> Schedule::take(SteadyTime now) {
  for (const std::string& address : demanded_)
    if (const auto at = turns_.find(address); !at->second.is_running) {
      const Server& server = servers_.find(at->second.server)->second;
      if (has_room(server)) return begin(at, now);
    }
  std::optional<Due> chosen;
  for (const auto& [_, server] : servers_) {
    const auto ready = ready_at(server);
    if (!ready || *ready > now) continue;
    if (!chosen || *server.waiting.begin() < *chosen) chosen = *server.waiting.begin();
  }
  if (!chosen) return std::nullopt;
  return begin(turns_.find(chosen->second), now);
}

std::optional<SteadyTime> Schedule::next() const {
  std::optional<SteadyTime> soonest;
  for (const auto& [_, server] : servers_)
    if (const auto ready = ready_at(server); ready && (!soonest || *ready < *soonest)) soonest = ready;
  return soonest;
}

std::optional<SteadyTime> Schedule::due(std::string_view address) const {
  const auto at = turns_.find(address);
  return at == turns_.end() ? std::nullopt : std::optional(at->second.due);
}

void Schedule::learn_of_server(const std::string& address, Server& server, SteadyTime now,
                               const std::optional<Error>& error) {
  if (!error || !is_outage(*error)) {
    server.close();
    if (error && server.shares_account && is_refusal(*error)) server.is_refused = true;
    return;
  }
  if (server.failed.empty() && !server.is_open) server.out_since = now;
  if (std::find(server.failed.begin(), server.failed.end(), address) == server.failed.end())
    server.failed.push_back(address);
  if (server.is_open) {
    server.is_probing = false;
    ++server.probes;
  } else if (server.failed.size() >= settings_.failures_to_open) {
    server.is_open = true;
  } else {
    return;
  }
  server.probe_at = now + doubled(settings_.first_probe, settings_.longest_probe, server.probes);
}

void Schedule::finished(std::string_view address, SteadyTime now, const std::optional<Error>& error) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  Turn& turn = at->second;
  Server& server = servers_.find(turn.server)->second;
  bool was_shut = server.is_open;
  if (!error && std::exchange(server.is_refused, false)) was_shut = true;
  learn_of_server(at->first, server, now, error);
  --server.running;
  if (turn.is_removed) {
    demanded_.erase(at->first);
    leave(turn);
    turns_.erase(at);
    return;
  }
  turn.is_running = false;
  turn.has_run = true;
  server.waiting.emplace(turn.due, at->first);
  if (error) {
    if (!turn.failing_since) turn.failing_since = now;
    // What passes by itself may pass any time: whoever waits for that is tried as often as he would be
    // polled.
    const bool passes = error->retry == RetryClass::after || error->retry == RetryClass::now;
    const milliseconds most = passes
                                  ? std::clamp(turn.interval, settings_.first_pause, settings_.longest_pause)
                                  : settings_.longest_pause;
    milliseconds pause = doubled(settings_.first_pause, most, turn.failures);
    ++turn.failures;
    if (error->retry_after) pause = std::max(pause, *error->retry_after);
    set_due(at, turn.is_demanded ? now : now + pause);
    return;
  }
  turn.failures = 0;
  turn.failing_since = std::nullopt;
  turn.last_success = now;
  if (turn.is_woken)
    set_due(at, turn.is_demanded ? now : std::max(now, turn.began + settings_.between_runs));
  else
    set_due(at, now + rest_of(turn));
  if (was_shut) release(turn.server, now);
}

void Schedule::again_at(std::string_view address, SteadyTime when) {
  const auto at = turns_.find(address);
  if (at == turns_.end() || at->second.is_running) return;
  const Turn& turn = at->second;
  set_due(at, std::min(turn.due, std::max(when, turn.began + settings_.between_runs)));
}

/// Who waited for the server, or for the account, has waited long enough.
void Schedule::release(const std::string& server, SteadyTime now) {
  for (auto other = turns_.begin(); other != turns_.end(); ++other)
    if (other->second.server == server && !other->second.is_running && other->second.failures != 0)
      set_due(other, std::min(other->second.due, now + by_chance(settings_.first_pause - milliseconds(1))));
}

}  // namespace syncline::service
