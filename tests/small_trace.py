"""A trace in openb's layout, small enough for a test and with more demand than it can serve."""

from pathlib import Path

POD_HEADER = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,"
    "creation_time,deletion_time,scheduled_time"
)


def write_small_trace(folder: Path) -> Path:
    """More demand than six nodes can serve, so that pods are refused and order matters."""
    folder.mkdir()
    nodes = ["sn,cpu_milli,memory_mib,gpu,model"]
    nodes += [f"node-{n},16000,32768,{2 * (n % 2)},{'T4' if n % 2 else ''}" for n in range(6)]
    pods = [POD_HEADER]
    for n in range(240):
        gpus = (0, 1, 1, 2)[n % 4]
        gpu_milli = (0, 1000, 300 + n, 1000)[n % 4]
        spec = "T4|V100" if n % 8 == 1 else ""
        cpu = 1000 * (1 + n * 7 % 5)
        # The last ones stay, so that the state at the end tells who got what.
        ends = 3 * n + n * 53 % 97 if n < 200 else ""
        pods.append(f"pod-{n},{cpu},{cpu},{gpus},{gpu_milli},{spec},LS,Running,{3 * n},{ends},")
    (folder / "small_node_list_all_node.csv").write_text("\n".join(nodes))
    (folder / "small_pod_list_default.csv").write_text("\n".join(pods))
    return folder
