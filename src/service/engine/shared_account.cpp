// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/shared_account.hpp"

namespace syncline::service {
namespace {

constexpr std::chrono::milliseconds first_pause = std::chrono::minutes(5);
constexpr std::chrono::milliseconds longest_pause = std::chrono::hours(1);

}  // namespace

Async<SharedAccount::Turn> SharedAccount::take_turn(const Clock& clock) {
  while (is_tried_) {
    auto waited = co_await changed_.wait();
    if (!waited) co_return fail(std::move(waited.error()));
  }
  if (refusal_ && clock.steady_now() < tried_again_at_) co_return fail(*refusal_);
  const bool first = !is_accepted_;
  is_tried_ = first;
  co_return Turn(shared_from_this(), clock, first);
}

void SharedAccount::Turn::accepted() {
  if (!account_) return;
  account_->is_accepted_ = true;
  account_->refusal_.reset();
  account_->refusals_in_a_row_ = 0;
  finish();
}

void SharedAccount::Turn::refused(const Error& error) {
  if (!account_) return;
  account_->refusal_ = error;
  account_->is_accepted_ = false;
  const SteadyTime now = clock_->steady_now();
  // Of many runs that were under way, one refusal counts.
  if (now >= account_->tried_again_at_)
    account_->tried_again_at_ =
        now + std::min(first_pause * (1 << std::min(account_->refusals_in_a_row_++, 8u)), longest_pause);
  finish();
}

void SharedAccount::Turn::finish() {
  if (!account_ || !first_) return;
  first_ = false;
  account_->is_tried_ = false;
  account_->changed_.notify_all();
}

bool refuses_credentials(const Error& error) noexcept {
  return error.http_status == 401 ||
         (error.domain == ErrorDomain::auth && error.retry == RetryClass::reauthenticate);
}

}  // namespace syncline::service
