// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/connection_places.hpp"

#include <algorithm>
#include <utility>

namespace syncline::service {

struct ConnectionPlaces::Waiter {
  Waiter(ConnectionPlaces& of, std::size_t most)
      : of(of), most(most), granted(of.executor_), at(of.waiting_.insert(of.waiting_.end(), this)) {}
  /// Whoever is cancelled leaves no gap in the row.
  ~Waiter() {
    if (place) return;
    of.waiting_.erase(at);
    of.grant();
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  ConnectionPlaces& of;
  std::size_t most;
  net::Event granted;
  std::optional<Place> place;
  std::list<Waiter*>::iterator at;
};

ConnectionPlaces::Place::Place(Place&& other) noexcept
    : of_(std::exchange(other.of_, nullptr)), at_(other.at_) {}

ConnectionPlaces::Place& ConnectionPlaces::Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  of_ = std::exchange(other.of_, nullptr);
  at_ = other.at_;
  return *this;
}

void ConnectionPlaces::Place::give_back() noexcept {
  if (!of_) return;
  const std::shared_ptr<ConnectionPlaces> of = std::exchange(of_, nullptr);
  of->held_.erase(at_);
  of->grant();
}

void ConnectionPlaces::grant() {
  while (!waiting_.empty() && held_.size() < waiting_.front()->most) {
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    next.place = Place(shared_from_this());
    next.granted.notify_all();
  }
}

std::optional<ConnectionPlaces::Place> ConnectionPlaces::try_take(std::size_t most) {
  if (!waiting_.empty() || held_.size() >= most) return std::nullopt;
  return Place(shared_from_this());
}

Async<ConnectionPlaces::Place> ConnectionPlaces::take(std::size_t most) {
  const std::shared_ptr<ConnectionPlaces> kept = shared_from_this();
  if (auto place = try_take(most)) co_return std::move(*place);
  Waiter waiter(*this, most);
  // Those whom nobody needs go first; one for each who waits.
  const auto idle = std::ranges::find_if(held_, [](const auto& tell) { return static_cast<bool>(tell); });
  if (idle != held_.end()) std::exchange(*idle, {})();
  while (!waiter.place)
    if (auto woken = co_await waiter.granted.wait(); !woken) co_return fail(std::move(woken.error()));
  co_return std::move(*waiter.place);
}

}  // namespace syncline::service
