// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/shared_account.hpp"

namespace syncline::service {

Async<SharedAccount::Turn> SharedAccount::take_turn() {
  while (is_tried_) {
    auto waited = co_await changed_.wait();
    if (!waited) co_return fail(std::move(waited.error()));
  }
  if (refusal_) co_return fail(*refusal_);
  const bool first = !is_accepted_;
  is_tried_ = first;
  co_return Turn(shared_from_this(), first);
}

void SharedAccount::Turn::accepted() {
  if (!account_) return;
  account_->is_accepted_ = true;
  finish();
}

void SharedAccount::Turn::refused(const Error& error) {
  if (!account_) return;
  account_->refusal_ = error;
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
