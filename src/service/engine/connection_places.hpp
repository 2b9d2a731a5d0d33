// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How many connections there may be to one server with one credential (invariant 27): who wants one more
// waits until another ends.
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "base/async.hpp"
#include "net/event.hpp"

namespace syncline::service {

/// Lives on one executor. Waiting is in turn.
class ConnectionPlaces : public std::enable_shared_from_this<ConnectionPlaces> {
 public:
  explicit ConnectionPlaces(net::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  ConnectionPlaces(const ConnectionPlaces&) = delete;
  ConnectionPlaces& operator=(const ConnectionPlaces&) = delete;

  /// The right to one connection; given back when destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;
    ~Place() { give_back(); }

    /// Somebody waits.
    bool is_wanted() const noexcept { return !of_->waiting_.empty(); }
    /// For a connection that nobody needs at the moment: called once, when somebody has to wait. It may give
    /// the place back later. Empty: not any more.
    void when_wanted(std::function<void()> tell) { *at_ = std::move(tell); }

   private:
    friend class ConnectionPlaces;
    using Holders = std::list<std::function<void()>>;
    explicit Place(std::shared_ptr<ConnectionPlaces> of)
        : of_(std::move(of)), at_(of_->held_.emplace(of_->held_.end())) {}
    void give_back() noexcept;
    std::shared_ptr<ConnectionPlaces> of_;
    Holders::iterator at_;
  };

  /// When fewer than `most` are taken, and nobody came before. Error: net "cancelled".
  Async<Place> take(std::size_t most);
  /// nullopt: it would have to be waited for.
  std::optional<Place> try_take(std::size_t most);

  std::size_t taken() const noexcept { return held_.size(); }
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  struct Waiter;
  void grant();

  net::asio::any_io_executor executor_;
  std::list<std::function<void()>> held_;  ///< of each place what is told when it is wanted
  std::list<Waiter*> waiting_;
};

}  // namespace syncline::service
