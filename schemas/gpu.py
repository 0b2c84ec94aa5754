"""A GPU's figures, as NVML gave them; one that it did not give is null."""

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class GpuReading(Frozen):
    gpu_name: str | None
    utilization: float | None = Field(description="Percent.")
    memory_used: int | None = Field(description="MB.")
    memory_total: int | None = Field(description="MB.")
    temperature: float | None = Field(description="Degrees Celsius.")
    power_usage: float | None = Field(description="Watts.")
    inference_fps: float | None = Field(
        description="Frames that the detector finished in the 60 s before the sample, divided by 60."
    )


NO_GPU = GpuReading(
    gpu_name=None,
    utilization=None,
    memory_used=None,
    memory_total=None,
    temperature=None,
    power_usage=None,
    inference_fps=None,
)


class GpuSampleRow(GpuReading):
    """One stored sample of one GPU."""

    recorded_at: UtcTime
    node: str
    gpu_index: int
