// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/rate_limit.hpp"

#include <algorithm>

namespace syncline::admin::api {

double RateLimit::level_of(const Bucket& bucket, SteadyTime now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(settings_.at_once, bucket.level + seconds * settings_.per_second);
}

void RateLimit::make_room(SteadyTime now) {
  if (buckets_.size() < settings_.most_buckets) return;
  std::erase_if(buckets_, [&](const auto& one) { return level_of(one.second, now) >= settings_.at_once; });
  if (buckets_.size() >= settings_.most_buckets) buckets_.clear();
}

bool RateLimit::has_one(std::string_view whose, SteadyTime now) const {
  const auto found = buckets_.find(whose);
  return found == buckets_.end() || level_of(found->second, now) >= 1;
}

std::optional<std::chrono::milliseconds> RateLimit::take(std::string_view whose, SteadyTime now) {
  auto found = buckets_.find(whose);
  if (found == buckets_.end()) {
    make_room(now);
    found = buckets_.emplace(std::string(whose), Bucket{settings_.at_once, now}).first;
  }
  Bucket& bucket = found->second;
  bucket.level = level_of(bucket, now);
  bucket.at = now;
  if (bucket.level >= 1) {
    bucket.level -= 1;
    return std::nullopt;
  }
  return std::chrono::milliseconds(
      static_cast<std::int64_t>((1 - bucket.level) / settings_.per_second * 1000) + 1);
}

}  // namespace syncline::admin::api
