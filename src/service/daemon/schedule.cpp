// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/daemon/schedule.hpp"

#include <algorithm>

namespace syncline::service {

using std::chrono::milliseconds;

bool is_outage(const Error& error) noexcept {
  return error.domain == ErrorDomain::net || error.code == "unreachable" || error.code == "dns-failed" ||
         error.http_status == 502 || error.http_status == 503 || error.http_status == 504;
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

void Schedule::put(const std::string& address, const std::string& server, milliseconds interval,
                   milliseconds first_within, SteadyTime now) {
  const auto [at, is_new] = turns_.try_emplace(address);
  Turn& turn = at->second;
  turn.is_removed = false;
  turn.server = server;
  turn.interval = interval;
  servers_.try_emplace(server);
  if (is_new)
    turn.due = now + milliseconds(random_.below(static_cast<std::uint64_t>(first_within.count()) + 1));
}

void Schedule::remove(std::string_view address) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  if (at->second.is_running)
    at->second.is_removed = true;
  else
    turns_.erase(at);
}

std::vector<MailboxTurn> Schedule::turns() const {
  std::vector<MailboxTurn> all;
  all.reserve(turns_.size());
  for (const auto& [address, turn] : turns_)
    all.push_back({.address = address,
                   .server = turn.server,
                   .due = turn.due,
                   .is_running = turn.is_running,
                   .is_failing = turn.failures != 0,
                   .waits_for_server = !turn.is_running && servers_.find(turn.server)->second.is_open,
                   .failures_in_a_row = turn.failures,
                   .last_success = turn.last_success});
  return all;
}

void Schedule::wake(std::string_view address, SteadyTime now) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  Turn& turn = at->second;
  if (turn.is_running)
    turn.is_woken = true;
  else if (turn.failures == 0)
    turn.due = std::min(turn.due, now);
}

void Schedule::retry(std::string_view address, SteadyTime now) {
  const auto at = turns_.find(address);
  if (at == turns_.end()) return;
  at->second.failures = 0;
  wake(address, now);
}

std::optional<SteadyTime> Schedule::ready_at(const Turn& turn) const {
  const Server& server = servers_.find(turn.server)->second;
  if (!server.is_open) return turn.due;
  if (server.is_probing) return std::nullopt;
  return std::max(turn.due, server.probe_at);
}

std::optional<std::string> Schedule::take(SteadyTime now) {
  auto chosen = turns_.end();
  for (auto at = turns_.begin(); at != turns_.end(); ++at) {
    if (at->second.is_running) continue;
    const auto ready = ready_at(at->second);
    if (!ready || *ready > now) continue;
    if (chosen == turns_.end() || at->second.due < chosen->second.due) chosen = at;
  }
  if (chosen == turns_.end()) return std::nullopt;
  Turn& turn = chosen->second;
  turn.is_running = true;
  turn.is_woken = false;
  Server& server = servers_.find(turn.server)->second;
  if (server.is_open) server.is_probing = true;
  return chosen->first;
}

std::optional<SteadyTime> Schedule::next() const {
  std::optional<SteadyTime> soonest;
  for (const auto& [_, turn] : turns_) {
    if (turn.is_running) continue;
    const auto ready = ready_at(turn);
    if (ready && (!soonest || *ready < *soonest)) soonest = ready;
  }
  return soonest;
}

void Schedule::learn_of_server(const std::string& address, const std::string& name, SteadyTime now,
                               const std::optional<Error>& error) {
  Server& server = servers_.find(name)->second;
  if (!error || !is_outage(*error)) {
    server = Server{};
    return;
  }
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
  turn.is_running = false;
  const bool was_open = servers_.find(turn.server)->second.is_open;
  learn_of_server(at->first, turn.server, now, error);
  if (turn.is_removed) {
    turns_.erase(at);
    return;
  }
  if (!error) {
    turn.failures = 0;
    turn.last_success = now;
    turn.due = turn.is_woken ? now : now + spread(turn.interval);
    // Who waited for the server has waited long enough.
    if (was_open)
      for (auto& [_, other] : turns_)
        if (other.server == turn.server && !other.is_running && other.failures != 0)
          other.due = std::min(
              other.due,
              now + milliseconds(random_.below(static_cast<std::uint64_t>(settings_.first_pause.count()))));
    return;
  }
  milliseconds pause = doubled(settings_.first_pause, settings_.longest_pause, turn.failures);
  ++turn.failures;
  if (error->retry_after) pause = std::max(pause, *error->retry_after);
  turn.due = now + pause;
}

}  // namespace syncline::service
