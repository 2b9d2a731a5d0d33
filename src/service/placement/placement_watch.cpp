// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/placement/placement_watch.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "net/with_deadline.hpp"
#include "service/organisation/organisation.hpp"
#include "store/placements.hpp"

namespace syncline::service {

using std::chrono::milliseconds;

PlacementWatchSettings PlacementWatchSettings::of_interval(milliseconds every) {
  PlacementWatchSettings settings;
  settings.every = every;
  settings.first_within = std::min(settings.first_within, every / 4);
  settings.again_after = std::min(settings.again_after, every / 2);
  settings.look_pause = std::min(settings.look_pause, std::max<milliseconds>(every / 10, milliseconds(100)));
  return settings;
}

PlacementWatch::PlacementWatch(net::Environment& environment, Organisation& organisation,
                               PlacementWatchSettings settings, Look look)
    : environment_(environment),
      organisation_(organisation),
      settings_(settings),
      look_(std::move(look)),
      stopped_(environment.executor) {}

void PlacementWatch::stop() {
  is_stopping_ = true;
  stopped_.notify_all();
}

Async<void> PlacementWatch::run() {
  if (settings_.every <= milliseconds(0)) co_return Result<void>{};
  while (!is_stopping_) {
    auto due = due_now();
    if (!due) {
      log::error("placement", due.error().describe());
    } else if (!due->empty()) {
      std::vector<std::string> addresses = std::move(*due);
      auto results = co_await look_(std::move(addresses));
      if (!results) log::error("placement", results.error().describe());
      if (results)
        for (const PlacementResult& result : *results) log_look(result);
    }
    if (is_stopping_) break;
    const SteadyTime until = environment_.clock.steady_now() + settings_.look_pause;
    auto waiting = stopped_.wait();
    Error late;
    static_cast<void>(
        co_await net::with_deadline(environment_.timers, until, std::move(waiting), std::move(late)));
  }
  co_return Result<void>{};
}

milliseconds PlacementWatch::by_chance(milliseconds most) {
  return milliseconds(
      environment_.random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(0, most.count())) + 1));
}

SystemTime PlacementWatch::next_look(const Plan& plan, SystemTime now) {
  const milliseconds interval = plan.is_parked ? settings_.again_after : settings_.every;
  const milliseconds spread = interval * settings_.spread_percent / 100;
  const SystemTime due = plan.looked_at + interval - spread + by_chance(2 * spread);
  // Whoever should have been looked for long ago is no more urgent than the others: no burst.
  return due > now ? due : now + by_chance(std::min(interval, settings_.first_within));
}

/// Enabled, or parked: disabled only because it was not where its profile leads. Those that a person disabled
/// are left alone, and so are profiles that do without Autodiscover.
Result<std::vector<std::string>> PlacementWatch::due_now() {
  auto loaded = organisation_.load();
  if (!loaded) return fail(std::move(loaded.error()));
  auto placements = organisation_.store().read<std::vector<store::Placement>>(
      [](store::Transaction& transaction) { return store::list_placements(transaction); });
  if (!placements) return fail(std::move(placements.error()));
  std::map<store::MailboxId, const store::Placement*> known;
  for (const store::Placement& placement : *placements) known.emplace(placement.mailbox, &placement);

  const SystemTime now = organisation_.clock().now();
  std::map<std::string, Plan, std::less<>> plans;
  std::vector<std::string> due;
  for (const model::Mailbox& mailbox : loaded->configuration.mailboxes) {
    const auto standing = loaded->mailboxes.find(mailbox.address);
    const model::Profile* profile = loaded->configuration.profile_of(mailbox);
    if (standing == loaded->mailboxes.end() || profile == nullptr || !is_on_exchange(*profile) ||
        !profile->autodiscover.value_or(true))
      continue;
    const auto found = known.find(standing->second.id);
    const store::Placement* placement = found == known.end() ? nullptr : found->second;
    Plan plan;
    if (placement != nullptr) {
      plan.looked_at = placement->looked_at.value_or(SystemTime{});
      plan.is_parked = placement->parked_at.has_value();
    }
    if (!standing->second.enabled && !plan.is_parked) continue;
    const auto before = plans_.find(mailbox.address);
    if (before != plans_.end() && before->second.looked_at == plan.looked_at &&
        before->second.is_parked == plan.is_parked)
      plan.due = before->second.due;
    else
      plan.due = next_look(plan, now);
    if (plan.due <= now) {
      due.push_back(mailbox.address);
      // Who is not asked after all (a secret is missing) is due again later.
      plan.due = now + settings_.again_after;
    }
    plans.emplace(mailbox.address, plan);
  }
  plans_ = std::move(plans);
  return due;
}

}  // namespace syncline::service
