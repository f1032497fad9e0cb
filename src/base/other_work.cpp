#include "base/other_work.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace fovea::base {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr auto kStretch = std::chrono::milliseconds(100);

/// user, nice, system, idle, iowait, irq, softirq, steal.
constexpr std::array kIsBusy{true, true, true, false, false, true, true, true};

std::optional<std::string> text_of(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string out;
  std::array<char, 8192> piece{};
  ssize_t size = 0;
  while ((size = read(file, piece.data(), piece.size())) > 0)
    out.append(piece.data(), static_cast<std::size_t>(size));
  close(file);
  if (size < 0) return std::nullopt;
  return out;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double own_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// None where the machine has more CPUs than the set.
std::optional<cpu_set_t> own_cpus() {
  cpu_set_t out;
  CPU_ZERO(&out);
  if (sched_getaffinity(0, sizeof out, &out) != 0) return std::nullopt;
  return out;
}

}  // namespace

std::optional<double> busy_seconds(std::string_view stat, double ticks_per_second,
                                   const std::function<bool(int cpu)>& counts) {
  constexpr std::string_view kCpu = "cpu";
  double ticks = 0;
  bool found = false;
  while (stat.starts_with(kCpu)) {
    auto line = stat.substr(kCpu.size(), stat.find('\n') - kCpu.size());
    stat.remove_prefix(std::min(stat.size(), kCpu.size() + line.size() + 1));
    int cpu = -1;
    const char* at = line.data();
    const char* const end = line.data() + line.size();
    const auto number = std::from_chars(at, end, cpu);
    if (number.ec != std::errc() || !counts(cpu)) continue;
    at = number.ptr;
    for (const bool is_busy : kIsBusy) {
      std::uint64_t value = 0;
      at = std::find_if(at, end, [](char c) { return c != ' '; });
      const auto read = std::from_chars(at, end, value);
      if (read.ec != std::errc()) break;  // older systems count less
      at = read.ptr;
      if (is_busy) ticks += static_cast<double>(value);
    }
    found = true;
  }
  if (!found || !(ticks_per_second > 0)) return std::nullopt;
  return ticks / ticks_per_second;
}

std::optional<double> OtherWork::cpus(std::chrono::steady_clock::time_point now) {
  if (last_ && now - last_->at < kStretch) return cpus_;
  const auto stat = text_of("/proc/stat");
  const auto mask = own_cpus();
  if (!stat || !mask) return std::nullopt;
  const auto busy = busy_seconds(*stat, static_cast<double>(sysconf(_SC_CLK_TCK)), [&](int cpu) {
    return cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(static_cast<std::size_t>(cpu), &*mask);
  });
  if (!busy) return std::nullopt;
  const Sample sample{now, *busy, own_seconds()};
  if (last_) {
    const double took = std::max(0., sample.busy_s - last_->busy_s);
    const double own = sample.own_s - last_->own_s;
    cpus_ = std::max(0., took - own) / Seconds(now - last_->at).count();
  }
  last_ = sample;
  return cpus_;
}

}  // namespace fovea::base
