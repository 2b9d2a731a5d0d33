// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How much may be under way at once with one credential, and when to keep quiet (invariant 27, R-12, R-13,
//
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "net/environment.hpp"

namespace syncline::net {

/// What a server counts against a credential.
struct BudgetLimits {
  std::size_t requests = 10;   ///< Microsoft's advice; the server's own limit is 27 on 2013 and later
  std::size_t sync_calls = 4;  ///< ConcurrentSyncCalls of 5 was seen; a sync call is a request as well
  std::size_t hanging = 3;     ///< streaming connections; not counted as requests
};

enum class BudgetKind { request, sync_call, hanging };

/// Tokens for one credential. Waiting is fair: nobody who comes later takes a token that an earlier one waits
/// for.
///
/// There is no wait cycle by construction: acquire() takes all that a kind needs in one step, and a coroutine
/// that holds a hanging token may acquire request tokens, never the other way round needed. A coroutine must
/// not acquire a second token of a kind that it holds already.
///
/// Lives on one executor, as everything of a client. Outliving tokens are harmless.
class Budget {
 public:
  struct State;

  class Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept;
    Token& operator=(Token&& other) noexcept;
    ~Token() { release(); }
    /// Early; also done by the destructor.
    void release() noexcept;
    explicit operator bool() const noexcept { return state_ != nullptr; }

   private:
    friend class Budget;
    Token(std::shared_ptr<State> state, BudgetKind kind) : state_(std::move(state)), kind_(kind) {}
    std::shared_ptr<State> state_;
    BudgetKind kind_ = BudgetKind::request;
  };

  Budget(Environment& environment, BudgetLimits limits);
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// Waits for its turn and for the end of any pause. The request is to be sent right after: when this
  /// returns, no pause is on. Error: net "cancelled".
  Async<Token> acquire(BudgetKind kind);

  /// The server's hint: nothing is let through before `when`. Hints only ever make the pause longer.
  void pause_until(SteadyTime when);
  void pause_for(std::chrono::milliseconds span);

  /// From now on; tokens that are out stay out.
  void set_limits(BudgetLimits limits);

  // --- metrics ---
  struct Metrics {
    std::size_t requests = 0;  ///< tokens that are out
    std::size_t sync_calls = 0;
    std::size_t hanging = 0;
    std::size_t waiting = 0;
    std::optional<SteadyTime> paused_until;        ///< set while a pause is on
    std::chrono::milliseconds throttled_total{0};  ///< time in pauses so far, the present one included
    std::uint64_t pauses = 0;                      ///< hints that began or lengthened a pause
  };
  Metrics metrics() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace syncline::net
