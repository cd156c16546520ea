// Threads, a queue with a condition variable, futures, hashed sets of pointers and random_device.
#include <condition_variable>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
#include <queue>
#include <random>
#include <thread>
#include <unordered_set>
#include <vector>

int main()
{
    std::mutex lock;
    std::condition_variable changed;
    std::queue<int> numbers;
    std::unordered_set<int *> seen;
    std::vector<std::unique_ptr<int>> kept;
    bool done = false;
    auto consume = [&](int id) {
        std::unique_lock held(lock);
        for (;;) {
            changed.wait(held, [&] { return done || !numbers.empty(); });
            if (numbers.empty())
                return;
            kept.push_back(std::make_unique<int>(numbers.front()));
            seen.insert(kept.back().get());
            std::printf("%d takes %d\n", id, numbers.front());
            numbers.pop();
        }
    };
    std::vector<std::thread> consumers;
    for (int id = 0; id < 4; id++)
        consumers.emplace_back(consume, id);
    std::random_device device;
    for (int i = 0; i < 50; i++) {
        std::lock_guard held(lock);
        numbers.push(static_cast<int>(device() % 1000));
        changed.notify_one();
    }
    {
        std::lock_guard held(lock);
        done = true;
    }
    changed.notify_all();
    for (auto &thread : consumers)
        thread.join();
    for (int *number : seen)
        std::printf("%p %d\n", static_cast<void *>(number), *number);
    std::printf("%d\n", std::async(std::launch::async, [] { return 42; }).get());
}
